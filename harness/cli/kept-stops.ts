import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { MadeStop, StopKeeper } from '../../src/control/halt-paths.ts';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { parseFlip } from '../../src/flip-text.ts';
import { readOrdinaryFile } from '../../src/ordinary-file.ts';
import type { StopFlip } from '../../src/switch.ts';
import { syncFolder, writeSynced } from '../../src/synced-file.ts';

/** A flip's text is at most some 10 kB. */
const MAX_BYTES = 256_000;
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
    drop: async () => {
      const mine = (await namesIn(folder)).filter(
        (name) => join(folder, name) === path || isHalfOf(name, basename(path)),
      );
      for (const name of mine) await rm(join(folder, name), { force: true });
    },
  };
}

async function writeWhole(folder: string, path: string, text: string): Promise<void> {
  const half = `${path}.${process.pid}.half`;
  try {
    await writeSynced(half, text, 'w');
    await rename(half, path);
  } catch (error) {
    await rm(half, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(folder);
}

/** Of a command that was killed while it kept a stop; it may be whole. */
function isHalfOf(name: string, kept: string): boolean {
  return name.startsWith(`${kept}.`) && /\.\d+\.half$/.test(name);
}

/**
 * What is kept there, and the files that cannot be read; both empty where there is no such folder.
 *
 * @throws KilldrillError `KEPT_UNREADABLE`
 */
export async function keptStops(
  folder: string,
): Promise<{ readonly stops: readonly KeptStop[]; readonly unreadable: readonly string[] }> {
  const names = await namesIn(folder);
  const stops: KeptStop[] = [];
  const unreadable: string[] = [];
  for (const name of names.filter((one) => /\.json(?:\.\d+\.half)?$/.test(one)).toSorted()) {
    const path = join(folder, basename(name));
    const kept = readKept(path);
    if (kept === null && name.endsWith('.json')) unreadable.push(path);
    // A torn half was promised to nobody.
    if (kept !== null && !stops.some(({ text }) => text === kept.text)) stops.push(kept);
  }
  return { stops, unreadable };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    const sentence = `the folder ${folder} of stops that are kept cannot be read (${messageOf(cause)}); expected a folder of yours, or none`;
    throw new KilldrillError('KEPT_UNREADABLE', sentence, { cause });
  }
}

function readKept(path: string): KeptStop | null {
  try {
    const { text, signature } = keptSchema.parse(JSON.parse(readOrdinaryFile(path, MAX_BYTES)));
    const flip = parseFlip(text);
    return flip.kind === 'stop' ? { path, text, signature, flip } : null;
  } catch {
    return null;
  }
}
