import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KilldrillError, messageOf } from '../errors.ts';
import type { EmergencyFacts } from './emergency-facts.ts';
import { syncFolder, writeSynced } from '../synced-file.ts';

/** `emergency_<worker>_<when>_<revision>_<hash>.json`: all after the worker is of a fixed shape, so that its name may hold anything. */
const SNAPSHOT = /^emergency_(?<worker>.*)_(?<when>\d{8}T\d{9}Z)_r\d+_[0-9a-f]{8}\.json$/;
const UNFINISHED = /^\.emergency_.*_(?<when>\d{8}T\d{9}Z)_r\d+_[0-9a-f]{8}\.json\.tmp$/;
/** An unfinished file older than this is of a process that died while it wrote. */
const UNFINISHED_KEPT_MS = 3_600_000;

/**
 * Writes a snapshot so that it is there whole or not at all, also after a crash: temporary file, fsync, rename, fsync of the
 * folder. Readable by the owner only. Of this worker's snapshots the newest `keep` stay.
 *
 * @returns the snapshot's path.
 * @throws KilldrillError `SNAPSHOT_UNWRITTEN` naming the folder and why.
 */
export async function writeSnapshot(folder: string, keep: number, facts: EmergencyFacts): Promise<string> {
  const name = nameOf(facts);
  const path = join(folder, name);
  const unfinished = join(folder, `.${name}.tmp`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeSynced(unfinished, `${JSON.stringify(facts, null, 2)}\n`, 'wx');
    await rename(unfinished, path);
    await syncFolder(folder);
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw new KilldrillError(
      'SNAPSHOT_UNWRITTEN',
      `the emergency snapshot could not be written to ${folder}: ${messageOf(cause)}; is it a folder that this process may write to?`,
      { cause },
    );
  }
  await prune(folder, keep, facts);
  return path;
}

/** What cannot be removed stays: it must not cost us the snapshot that was just written. */
async function prune(folder: string, keep: number, facts: EmergencyFacts): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const mine = names.flatMap((name) => {
    const { worker, when } = SNAPSHOT.exec(name)?.groups ?? {};
    return worker === safe(facts.worker) && when !== undefined ? [{ name, when }] : [];
  });
  const old = mine.toSorted((one, other) => (one.when < other.when ? 1 : -1)).slice(keep);
  const left = names.filter((name) => {
    const when = UNFINISHED.exec(name)?.groups?.['when'];
    return when !== undefined && when < stamp(Date.parse(facts.at) - UNFINISHED_KEPT_MS);
  });
  for (const name of [...old.map((one) => one.name), ...left]) {
    await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** Processes without a name of their own may share a folder, and two emergencies a millisecond. */
function nameOf({ worker, at, revision, incarnation, engagement }: EmergencyFacts): string {
  const hash = createHash('sha256').update(`${incarnation}\n${engagement}`, 'utf8').digest('hex').slice(0, 8);
  return `emergency_${safe(worker)}_${stamp(Date.parse(at))}_r${revision ?? 0}_${hash}.json`;
}

/** A name that leads out of no folder. */
function safe(worker: string): string {
  return worker.replaceAll(/[^\w.-]/g, '-').slice(0, 80);
}

function stamp(wallMs: number): string {
  return new Date(wallMs).toISOString().replaceAll(/[-:.]/g, '');
}
