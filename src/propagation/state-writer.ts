import { linkSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import type { Head } from '../store/store.ts';
import { parseFlip } from '../flip-text.ts';
import { haltByFile } from './halt-by-file.ts';
import { NO_MEMORY, endedIn, judgeState } from './judge-state.ts';
import type { FileStop, StateJudgement, StateMemory } from './judge-state.ts';
import { StateFolder, placeOf } from './state-folder.ts';
import type { SeenState, StatePlace } from './state-folder.ts';
import { lockState } from './state-lock.ts';
import type { StateLock } from './state-lock.ts';
import type { StateSeal } from './state-seal.ts';
import { ENDED_IN_FILE, sealedText, stateFileText } from './state-text.ts';
import type { EndedStop, FileState, StateStop } from './state-text.ts';
import { syncFolderNow, writeWhole } from './write-whole.ts';

export interface StateWriterParts {
  readonly path: string;
  readonly namespace: string;
  readonly seal: StateSeal;
  readonly clock: Clock;
  readonly host: string;
  /** Unique for ever, each time. */
  readonly newToken: () => string;
  /** Signs as a stop-taker what a hand has stopped. */
  readonly sign?: ((text: string) => string) | null;
  /** Longest wait for another writer, milliseconds. Default 3,000: longer than a suspended one keeps its lock. */
  readonly waitMs?: number;
}

/** What is to become of the stops of a file. */
export interface StateChange {
  readonly ended?: readonly EndedStop[];
  /** How far the writer has followed the store. */
  readonly head?: Head | null;
  readonly add?: readonly StateStop[];
}

/** What becomes of a file that cannot be trusted. */
export type WhenDamaged = 'restore' | 'mend' | 'refuse';

const WAIT_MS = 3_000;
const TRIES = 20;
/** A temporary file older than this is of a process that died while it wrote. */
const UNFINISHED_MS = 60_000;

/**
 * Writes a state file: reads it under the lock, takes in what lies beside it and what a hand has raised, and puts the whole
 * in its place. A kill at any moment leaves the old file or the new one.
 */
export class StateWriter {
  readonly #parts: StateWriterParts;
  readonly #folder: StateFolder;
  #memory: StateMemory = NO_MEMORY;

  constructor(parts: StateWriterParts) {
    this.#parts = parts;
    this.#folder = new StateFolder(parts.path, parts.clock);
  }

  /**
   * Makes the file, with nothing stopped in it. That is an operator's act: a program that made its file at each start would
   * forget its stops when somebody removes it.
   *
   * @throws KilldrillError `STATE_FILE_EXISTS`, `STATE_FILE_UNWRITTEN`
   */
  create(): void {
    try {
      this.#create(placeOf(this.#parts.path));
    } catch (cause) {
      if (cause instanceof KilldrillError) throw cause;
      throw unwritten(this.#parts.path, cause);
    }
  }

  #create(place: StatePlace): void {
    const temporary = join(place.folder, this.#unfinished(place));
    try {
      writeFileSync(temporary, this.#text(this.#state([], [], null, 0)), { flag: 'wx', flush: true, mode: 0o644 });
      linkSync(temporary, join(place.folder, place.base));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      const message = `the state file ${this.#parts.path} could not be made; is it there already?`;
      throw new KilldrillError('STATE_FILE_EXISTS', message, { cause });
    } finally {
      rmSync(temporary, { force: true });
    }
    syncFolderNow(place.folder);
  }

  /**
   * Writes a change. `restore` also where the file is gone or damaged: for those who stop, since what they write lets nobody
   * run. `mend` too, unless another key has sealed it: for those who know everything that is open.
   *
   * @throws KilldrillError `STATE_FILE_BUSY`, `STATE_FILE_DAMAGED`, `STATE_FILE_NAMESPACE`, `STATE_SEAL_MISSING`,
   * `STATE_FILE_UNWRITTEN`
   */
  async write(change: StateChange, damaged: WhenDamaged): Promise<FileState> {
    try {
      return await this.#write(change, damaged);
    } catch (cause) {
      if (cause instanceof KilldrillError) throw cause;
      throw unwritten(this.#parts.path, cause);
    }
  }

  async #write(change: StateChange, damaged: WhenDamaged): Promise<FileState> {
    const place = placeOf(this.#parts.path);
    const { clock, host, newToken, waitMs = WAIT_MS } = this.#parts;
    const lock = await lockState(place, { clock, host, waitMs, token: newToken() });
    try {
      for (let attempt = 0; attempt < TRIES; attempt += 1) {
        const written = await this.#attempt(place, lock, change, damaged);
        if (written !== null) return written;
      }
    } finally {
      lock.release();
    }
    throw new KilldrillError(
      'STATE_FILE_BUSY',
      `the state file ${this.#parts.path} changed ${TRIES} times while it was written`,
    );
  }

  /** Null when somebody else has changed the file meanwhile: a hand knows of no lock. */
  async #attempt(
    place: StatePlace,
    lock: StateLock,
    change: StateChange,
    damaged: WhenDamaged,
  ): Promise<FileState | null> {
    const { namespace, seal, host } = this.#parts;
    const sighting = this.#folder.look();
    const judgement = judgeState(sighting, this.#memory, { namespace, seal, host });
    this.#refuse(judgement, damaged);
    const { state } = judgement;
    const added = new Set((change.add ?? []).map(({ text }) => parseFlip(text).id));
    // Who adds a stop says that it is open: it is not over because the file, or another writer, once said so.
    const ended = [...(state?.ended ?? []), ...(change.ended ?? [])]
      .filter(({ id }) => !added.has(id))
      .slice(-ENDED_IN_FILE);
    const stops = await this.#stopsOf(judgement, change, endedIn(ended));
    const before = Math.max(state?.sequence ?? 0, this.#memory.sequence);
    const next = this.#state(stops, ended, change.head === undefined ? (state?.head ?? null) : change.head, before);
    const text = this.#text(next);
    const mayRename = (): boolean => lock.held() && isStill(sighting.state, this.#folder.look().state);
    if (!(await writeWhole(place.folder, place.base, text, this.#unfinished(place), mayRename))) return null;
    this.#memory = { sequence: next.sequence, seal: this.#sealOf(next) };
    this.#tidy(place, judgement.stops, ended);
    return next;
  }

  #refuse({ refusal, state }: StateJudgement, damaged: WhenDamaged): void {
    const { path, seal } = this.#parts;
    if (seal.make === null) {
      const message = `the state file ${path} cannot be written here: this process can check its seal, and not make one`;
      throw new KilldrillError('STATE_SEAL_MISSING', message);
    }
    if (refusal?.code === 'other-namespace') throw new KilldrillError('STATE_FILE_NAMESPACE', refusal.why);
    if (refusal === null || state !== null || damaged === 'restore') return;
    if (damaged === 'mend') {
      if (refusal.code !== 'not-sealed') return;
      const message = `${refusal.why}; it is not written over: remove it, or give the key that seals it`;
      throw new KilldrillError('STATE_FILE_DAMAGED', message);
    }
    const how = 'take a stop: that writes the file anew, and then that stop can be released';
    throw new KilldrillError('STATE_FILE_DAMAGED', `${refusal.why}; ${how}`);
  }

  async #stopsOf(
    { stops }: StateJudgement,
    { add = [] }: StateChange,
    isEnded: (id: string) => boolean,
  ): Promise<readonly StateStop[]> {
    const { sign = null, path } = this.#parts;
    const found = stops.filter(({ stop }) => !isEnded(stop.id));
    // Every open stop has a file of its own too: what becomes of the state file, or of a hand's file, cannot lose it.
    for (const { stop, byHand, beside } of found) if (byHand && beside === null) await haltByFile(path, stop, sign);
    const byText = new Map<string, StateStop>(add.map((stop) => [stop.text, stop]));
    for (const { text, signature, byHand } of found) {
      byText.set(text, { text, signature: signature ?? (byHand ? (sign?.(text) ?? null) : null) });
    }
    return [...byText.values()];
  }

  /** Numbers follow the clock, so that a writer which has lost sight of its file does not fall behind what others saw. */
  #state(stops: readonly StateStop[], ended: readonly EndedStop[], head: Head | null, before: number): FileState {
    const { clock, namespace } = this.#parts;
    const nowMs = clock.wallMs();
    const sequence = Math.max(before + 1, Math.floor(nowMs));
    return { namespace, sequence, writtenAt: new Date(nowMs).toISOString(), head, stops, ended };
  }

  #text(state: FileState): string {
    return stateFileText(state, this.#sealOf(state));
  }

  #sealOf(state: FileState): string | null {
    return this.#parts.seal.make?.(sealedText(state)) ?? null;
  }

  #unfinished({ base }: StatePlace): string {
    return `.${base}.${this.#parts.newToken()}.tmp`;
  }

  /** What the file says now need not lie beside it any more, once it is over; nor what writers that died have left. */
  #tidy({ folder, base }: StatePlace, stops: readonly FileStop[], ended: readonly EndedStop[]): void {
    const isEnded = endedIn(ended);
    try {
      for (const { stop, beside } of stops) if (beside !== null && isEnded(stop.id)) rmSync(join(folder, beside));
      const left = readdirSync(folder).filter((name) => name.startsWith(`.${base}.`) && name.endsWith('.tmp'));
      const before = this.#parts.clock.wallMs() - UNFINISHED_MS;
      for (const name of left) if (statSync(join(folder, name)).mtimeMs < before) rmSync(join(folder, name));
    } catch {
      // It stays until the next time.
    }
  }
}

function unwritten(path: string, cause: unknown): KilldrillError {
  const how = 'is its folder there, may this process write to it, and is there room?';
  const message = `the state file ${path} could not be written (${messageOf(cause)}); ${how}`;
  return new KilldrillError('STATE_FILE_UNWRITTEN', message, { cause });
}

function isStill(before: SeenState, now: SeenState): boolean {
  if (before.kind !== 'file' || now.kind !== 'file') return before.kind === now.kind;
  return (
    before.file.ino === now.file.ino && before.file.ctimeNs === now.file.ctimeNs && before.file.text === now.file.text
  );
}
