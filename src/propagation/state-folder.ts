import { closeSync, fstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { openOrdinaryFile } from '../ordinary-file.ts';
import { MAX_STATE_BYTES } from './state-text.ts';

/** The file that anybody may put beside a state file to stop everything. */
export const HALT_NAME = 'HALT';

/** One file, at the moment when it was looked at. The same object again as long as it has not changed. */
export interface SeenFile {
  readonly name: string;
  readonly text: string;
  readonly ino: bigint;
  readonly ctimeNs: bigint;
}

export type SeenState =
  | { readonly kind: 'file'; readonly file: SeenFile }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly why: string };

/** A state file and what lies beside it, as one look has found them. */
export interface Sighting {
  /** Full path of the state file. */
  readonly path: string;
  readonly state: SeenState;
  /** `HALT`, and stops that somebody has put beside the file. */
  readonly halts: readonly SeenFile[];
}

/** The parts of a state file's path; the folder by its true name, which is the same for all who reach it. */
export interface StatePlace {
  readonly folder: string;
  readonly base: string;
}

/** @throws when the folder is not there */
export function placeOf(path: string): StatePlace {
  return { folder: realpathSync(dirname(resolve(path))), base: basename(path) };
}

/** How files begin that hold one stop each. */
export function haltPrefix(base: string): string {
  return `${base}.halt-`;
}

/** File systems count time in ticks: what has changed within this, milliseconds, may change again and look the same. */
const TICK_MS = 100;

interface Kept {
  readonly file: SeenFile;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** Looks at a state file's folder. Reads a file again only when it may have changed. */
export class StateFolder {
  readonly #path: string;
  readonly #clock: Clock;
  #kept = new Map<string, Kept>();

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  look(): Sighting {
    const kept = new Map<string, Kept>();
    try {
      const { folder, base } = placeOf(this.#path);
      const prefix = haltPrefix(base);
      const names = readdirSync(folder).filter((name) => name === HALT_NAME || name.startsWith(prefix));
      // The state last: what a writer has just taken into it was beside it before.
      const halts = names.toSorted().flatMap((name) => this.#halt(folder, name, kept));
      return { path: join(folder, base), state: this.#state(folder, base, kept), halts };
    } catch (error) {
      return { path: this.#path, state: isMissing(error) ? { kind: 'missing' } : unreadable(error), halts: [] };
    } finally {
      this.#kept = kept;
    }
  }

  #state(folder: string, base: string, kept: Map<string, Kept>): SeenState {
    try {
      return { kind: 'file', file: this.#read(folder, base, kept) };
    } catch (error) {
      return isMissing(error) ? { kind: 'missing' } : unreadable(error);
    }
  }

  /** That it is there is what counts; what it says may not be readable. */
  #halt(folder: string, name: string, kept: Map<string, Kept>): readonly SeenFile[] {
    try {
      return [this.#read(folder, name, kept)];
    } catch (error) {
      return isMissing(error) ? [] : [{ name, text: '', ino: 0n, ctimeNs: 0n }];
    }
  }

  #read(folder: string, name: string, kept: Map<string, Kept>): SeenFile {
    const descriptor = openOrdinaryFile(join(folder, name));
    try {
      const stats = fstatSync(descriptor, { bigint: true });
      const known = this.#kept.get(name);
      const found = known !== undefined && this.#isUnchanged(known, stats) ? known : readFrom(descriptor, name, stats);
      kept.set(name, found);
      return found.file;
    } finally {
      closeSync(descriptor);
    }
  }

  #isUnchanged({ file, size, mtimeNs }: Kept, stats: BigIntStats): boolean {
    if (file.ino !== stats.ino || file.ctimeNs !== stats.ctimeNs) return false;
    if (size !== stats.size || mtimeNs !== stats.mtimeNs) return false;
    return this.#clock.wallMs() - Number(stats.ctimeNs / 1_000_000n) > TICK_MS;
  }
}

function readFrom(descriptor: number, name: string, stats: BigIntStats): Kept {
  if (stats.size > BigInt(MAX_STATE_BYTES)) {
    throw new Error(`it has ${stats.size} bytes; expected at most ${MAX_STATE_BYTES}`);
  }
  const text = readFileSync(descriptor, 'utf8');
  const after = fstatSync(descriptor, { bigint: true });
  if (after.ctimeNs !== stats.ctimeNs || after.size !== stats.size) throw new Error('it changed while it was read');
  const { ino, ctimeNs, size, mtimeNs } = stats;
  return { file: { name, text, ino, ctimeNs }, size, mtimeNs };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function unreadable(error: unknown): SeenState {
  return { kind: 'unreadable', why: messageOf(error) };
}
