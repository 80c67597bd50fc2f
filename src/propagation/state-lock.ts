import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import type { StatePlace } from './state-folder.ts';

interface LockParts {
  readonly clock: Clock;
  readonly host: string;
  /** Unique for ever. */
  readonly token: string;
  /** Longest wait, milliseconds. */
  readonly waitMs: number;
}

export interface StateLock {
  /** Whether nobody has taken it away. */
  held(): boolean;
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
}

/** A writer is through within milliseconds: one that has held the lock for longer is suspended, or its machine is gone. */
const HELD_MS = 2_000;
const AGAIN_MS = 5;

/**
 * Takes the lock of those who write a state file. A holder that was killed loses it at once, one that is suspended after two
 * seconds. Nobody needs it to stop: what it keeps apart is writers that would undo each other's releases.
 *
 * @throws KilldrillError `STATE_FILE_BUSY`
 */
export async function lockState(place: StatePlace, parts: LockParts): Promise<StateLock> {
  const { clock, waitMs } = parts;
  const path = join(place.folder, `.${place.base}.lock`);
  const untilMs = clock.monotonicMs() + waitMs;
  for (;;) {
    if (take(path, parts)) {
      const held = (): boolean => holderOf(path)?.token === parts.token;
      return { held, release: () => (held() ? rmSync(path, { force: true }) : undefined) };
    }
    if (isForsaken(path, parts)) takeAway(path, parts.token);
    else if (clock.monotonicMs() >= untilMs) throw busy(path, waitMs);
    else await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
  }
}

/** In one step with its holder's name in it, so that no crash leaves a lock that is nobody's. */
function take(path: string, { host, token }: LockParts): boolean {
  const mine = `${path}.${token}.tmp`;
  const holder: Holder = { pid: process.pid, host, token };
  try {
    writeFileSync(mine, JSON.stringify(holder));
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function isForsaken(path: string, { clock, host }: LockParts): boolean {
  const holder = holderOf(path);
  if (holder?.host === host && !isAlive(holder.pid)) return true;
  try {
    // Also one that nobody can read, as after a loss of power: it names no holder who would ever give it back.
    return clock.wallMs() - statSync(path).mtimeMs > HELD_MS;
  } catch {
    return false;
  }
}

/** Two may do this at once, and the slower one get hold of a living lock: it puts that back. */
function takeAway(path: string, token: string): void {
  const forsaken = holderOf(path)?.token;
  const aside = `${path}.${token}.tmp`;
  try {
    renameSync(path, aside);
    if (holderOf(aside)?.token !== forsaken) linkSync(aside, path);
  } catch {
    // Somebody else was faster.
  } finally {
    rmSync(aside, { force: true });
  }
}

function holderOf(path: string): Holder | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function busy(path: string, waitMs: number): KilldrillError {
  return new KilldrillError(
    'STATE_FILE_BUSY',
    `another process (${holderOf(path)?.pid ?? 'unknown'}) has kept the lock ${path} for more than ${waitMs} ms; try again`,
  );
}
