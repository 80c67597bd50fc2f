import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { MadeStop, StopKeeper } from '../../src/control/halt-paths.ts';
import { parseFlip } from '../../src/flip-text.ts';
import type { StopFlip } from '../../src/switch.ts';
import { syncFolder, writeSynced } from '../../src/synced-file.ts';

const keptSchema = z.strictObject({ text: z.string(), signature: z.string().nullable() });

/** A stop that an earlier command kept, and has not seen durable. */
export interface KeptStop extends MadeStop {
  readonly path: string;
  readonly flip: StopFlip;
}

/** Where stops are kept until they are durable: `KILLDRILL_KEPT`, or else a folder of this user's own. */
export function keptFolder(environment: NodeJS.ProcessEnv): string {
  const { KILLDRILL_KEPT: named, XDG_STATE_HOME: state } = environment;
  if (named !== undefined && named !== '') return named;
  return join(state === undefined || state === '' ? ownState() : state, 'killdrill', 'kept');
}

function ownState(): string {
  try {
    return join(homedir(), '.local', 'state');
  } catch {
    return tmpdir(); // a user that the system has no name for
  }
}

/** A file each: written, fsynced, and under its name only then, so that none is ever half there. */
export function keeperIn(folder: string, id: string): StopKeeper {
  // An id may hold what a file name may not.
  const path = join(folder, `${encodeURIComponent(id)}.json`);
  return {
    keep: async (text, signature) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeWhole(folder, path, JSON.stringify({ text, signature }));
      return path;
    },
    drop: () => rm(path, { force: true }),
  };
}

async function writeWhole(folder: string, path: string, text: string): Promise<void> {
  const half = `${path}.${process.pid}.half`;
  await writeSynced(half, text, 'w');
  await rename(half, path);
  await syncFolder(folder);
}

/** What is kept there, and the files that cannot be read; both empty where there is no such folder. */
export async function keptStops(
  folder: string,
): Promise<{ readonly stops: readonly KeptStop[]; readonly unreadable: readonly string[] }> {
  const names = await readdir(folder).catch(() => []);
  const stops: KeptStop[] = [];
  const unreadable: string[] = [];
  for (const name of names.filter((one) => one.endsWith('.json')).toSorted()) {
    const path = join(folder, basename(name));
    const kept = await readKept(path);
    if (kept === null) unreadable.push(path);
    else stops.push(kept);
  }
  return { stops, unreadable };
}

async function readKept(path: string): Promise<KeptStop | null> {
  try {
    const { text, signature } = keptSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    const flip = parseFlip(text);
    return flip.kind === 'stop' ? { path, text, signature, flip } : null;
  } catch {
    return null;
  }
}
