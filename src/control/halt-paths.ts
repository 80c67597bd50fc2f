import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import { pause } from '../pause.ts';
import { within } from '../within.ts';

/** What one path made of a stop. */
export type PathTook =
  /** It is in the record. The revision is null where the path cannot tell it. */
  | { readonly kind: 'durable'; readonly revision: number | null }
  /** Enforced somewhere, or on its way, and not in the record yet. */
  | {
      readonly kind: 'provisional';
      /** Somebody who stays has it, and sends it until it is in the record. */
      readonly resident: boolean;
      /** Where it is and what is known of it, for a sentence. */
      readonly says: string;
    };

/** One way for a stop to reach a fleet. */
export interface HaltPath {
  readonly name: string;
  /**
   * Takes the stop, as often as it is asked: a flip's id is unique for ever, so that nothing is doubled.
   *
   * @throws KilldrillError; with a code of `FINAL_CODES` when asking again would be answered the same.
   */
  take(text: string, signature: string | null, signal: AbortSignal): Promise<PathTook>;
}

/** What is known of a path by now. */
export type PathState =
  | PathTook
  | { readonly kind: 'failed'; readonly why: string; readonly final: boolean }
  /** It was asked, and has not answered. */
  | { readonly kind: 'asked' };

/** Keeps a stop where a kill -9 of this process does not reach it. */
export interface StopKeeper {
  /** Resolves once it is on disk, with where it is. */
  keep(text: string, signature: string | null): Promise<string>;
  /** Forgets it: somebody else has it for certain. */
  drop(): Promise<void>;
}

export type HaltEvent =
  | { readonly kind: 'path'; readonly path: string; readonly state: PathState }
  /** It has not answered yet; the next path is tried beside it. */
  | { readonly kind: 'slow'; readonly path: string; readonly afterMs: number };

/** Bounds, milliseconds. */
export interface HaltTimings {
  /** A path that has not answered by then no longer keeps the next one waiting; its answer still counts. */
  readonly stepMs: number;
  /** Longest wait for one answer. */
  readonly pathMs: number;
  /** Pause before a path that failed is tried again. */
  readonly pauseMs: number;
  /** Pause before whoever has it, and stays, is asked whether it is durable by now. */
  readonly askAgainMs: number;
  /** Longest wait for the keeper, once there is nothing else to wait for. */
  readonly keepMs: number;
  /** How long all of it may take. */
  readonly giveUpMs: number;
}

export const HALT_TIMINGS: HaltTimings = {
  stepMs: 1_000,
  pathMs: 5_000,
  pauseMs: 250,
  askAgainMs: 500,
  keepMs: 1_000,
  giveUpMs: 600_000,
};

export interface HaltParts {
  /** In the order in which they are tried. */
  readonly paths: readonly HaltPath[];
  readonly keeper: StopKeeper;
  readonly clock: Clock;
  readonly timings?: Partial<HaltTimings>;
  /** Told as it happens; may throw nothing. */
  readonly onEvent?: (event: HaltEvent) => void;
}

/** A flip that was made, and signed or not. */
export interface MadeStop {
  readonly text: string;
  readonly signature: string | null;
}

/** Why it was ended without being durable: nobody takes it, the time is up, or whoever asked said so. */
export type HaltEnd = 'refused' | 'given-up' | 'interrupted';

export type HaltOutcome = { readonly paths: ReadonlyMap<string, PathState> } & (
  | { readonly kind: 'durable'; readonly path: string; readonly revision: number | null }
  /** Not durable when it ended; somebody who stays has it. */
  | { readonly kind: 'resident'; readonly end: HaltEnd; readonly path: string; readonly says: string }
  /** Not durable, and nobody is sending it; `keptAt` is null if it could not be kept. */
  | { readonly kind: 'kept'; readonly end: HaltEnd; readonly keptAt: string | null; readonly notKept: string | null }
);

/** Codes of refusals that the same question would get again. */
export const FINAL_CODES: ReadonlySet<string> = new Set([
  'PATH_UNUSABLE',
  'CONTROL_REFUSED',
  'STORE_FORBIDDEN',
  'SCHEMA_VERSION',
  'NAMESPACE_UNKNOWN',
  'FLIP_NAMESPACE',
  'FLIP_UNREADABLE',
  'FLIP_ID_REUSED',
  'FLIP_FORGED',
  'STORE_VALUE',
]);

/**
 * Has a stop taken by one path after another until it is durable. A path that fails or is slow does not keep the next one
 * waiting; one that failed is tried again until another has made it durable, and whoever has it without being able to say so
 * is asked again. It never rejects: whatever happens, the
 * answer says what is so.
 */
export function takeStop(parts: HaltParts, stop: MadeStop, signal: AbortSignal): Promise<HaltOutcome> {
  return new StopTaking(parts, stop).run(signal);
}

type Ending =
  { readonly kind: 'durable'; readonly path: string; readonly revision: number | null } | { readonly kind: HaltEnd };

interface Kept {
  readonly keptAt: string | null;
  readonly notKept: string | null;
}

class StopTaking {
  readonly #parts: HaltParts;
  readonly #stop: MadeStop;
  readonly #timings: HaltTimings;
  readonly #states = new Map<string, PathState>();
  readonly #over = new AbortController();
  #finish: (ending: Ending) => void = () => undefined;

  constructor(parts: HaltParts, stop: MadeStop) {
    this.#parts = parts;
    this.#stop = stop;
    const timings = { ...HALT_TIMINGS, ...parts.timings };
    // However little time there is, each of them is asked within it.
    const stepMs = Math.min(timings.stepMs, Math.floor(timings.giveUpMs / (parts.paths.length + 1)));
    this.#timings = { ...timings, stepMs };
  }

  async run(signal: AbortSignal): Promise<HaltOutcome> {
    // Before anybody is asked, and beside them: a disk that hangs keeps no stop waiting.
    const keeping = this.#keep();
    const ending = await this.#ending(signal);
    this.#over.abort();
    const kept = await this.#kept(keeping);
    const outcome = this.#outcome(ending, kept);
    if (outcome.kind !== 'kept' && kept.keptAt !== null) await this.#drop();
    return outcome;
  }

  #outcome(ending: Ending, kept: Kept): HaltOutcome {
    const paths = this.#states;
    if (ending.kind === 'durable') return { ...ending, paths };
    for (const [path, state] of paths) {
      if (state.kind !== 'provisional' || !state.resident) continue;
      return { kind: 'resident', end: ending.kind, path, says: state.says, paths };
    }
    return { kind: 'kept', end: ending.kind, ...kept, paths };
  }

  #ending(signal: AbortSignal): Promise<Ending> {
    const { clock } = this.#parts;
    return new Promise<Ending>((resolve) => {
      const interrupted = (): void => this.#finish({ kind: 'interrupted' });
      const cancel = clock.after(this.#timings.giveUpMs, () => this.#finish({ kind: 'given-up' }));
      this.#finish = (ending) => {
        cancel();
        signal.removeEventListener('abort', interrupted);
        resolve(ending);
      };
      if (signal.aborted) return interrupted();
      signal.addEventListener('abort', interrupted);
      void this.#walk();
    });
  }

  /** Starts one path after another; each goes on by itself. */
  async #walk(): Promise<void> {
    const pursuits: Promise<void>[] = [];
    const { clock, paths } = this.#parts;
    for (const path of paths) {
      if (this.#over.signal.aborted) return;
      let first = (): void => undefined;
      const answered = new Promise<void>((resolve) => (first = resolve));
      pursuits.push(this.#pursue(path, first));
      await Promise.race([answered, pause(clock, this.#timings.stepMs, this.#over.signal)]);
      if (this.#states.get(path.name)?.kind === 'asked' && !this.#over.signal.aborted) {
        this.#parts.onEvent?.({ kind: 'slow', path: path.name, afterMs: this.#timings.stepMs });
      }
    }
    await Promise.all(pursuits);
    this.#finish({ kind: 'refused' });
  }

  /** Asks one path until it has taken the stop, or refuses for good. */
  async #pursue(path: HaltPath, firstAnswered: () => void): Promise<void> {
    const { clock } = this.#parts;
    const { askAgainMs, pauseMs } = this.#timings;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const state = await this.#ask(path);
      if (signal.aborted) return;
      this.#learn(path.name, state);
      if (state.kind === 'durable') return this.#finish({ ...state, path: path.name });
      firstAnswered();
      // The same stop asked again has the first answer until it is durable, also of whoever began anew meanwhile.
      if (state.kind === 'provisional' && state.resident) await pause(clock, askAgainMs, signal);
      else if (state.kind !== 'failed' || state.final) return;
      else await pause(clock, pauseMs, signal);
    }
  }

  async #ask(path: HaltPath): Promise<PathState> {
    const { clock } = this.#parts;
    const { pathMs } = this.#timings;
    const { text, signature } = this.#stop;
    if (!this.#states.has(path.name)) this.#states.set(path.name, { kind: 'asked' });
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    this.#over.signal.addEventListener('abort', abort);
    try {
      const taking = Promise.resolve().then(() => path.take(text, signature, controller.signal));
      return await within(clock, pathMs, taking, () => late(pathMs));
    } catch (thrown) {
      const final = thrown instanceof KilldrillError && FINAL_CODES.has(thrown.code);
      return { kind: 'failed', why: messageOf(thrown), final };
    } finally {
      this.#over.signal.removeEventListener('abort', abort);
      abort();
    }
  }

  /** The same failure again is no news. */
  #learn(path: string, state: PathState): void {
    const before = this.#states.get(path);
    this.#states.set(path, state);
    if (isSame(before, state)) return;
    this.#parts.onEvent?.({ kind: 'path', path, state });
  }

  async #keep(): Promise<Kept> {
    const { text, signature } = this.#stop;
    try {
      return { keptAt: await this.#parts.keeper.keep(text, signature), notKept: null };
    } catch (thrown) {
      return { keptAt: null, notKept: messageOf(thrown) };
    }
  }

  /** What has become of it by now, and for a disk that is slow a little later: it had all the time that the paths took. */
  async #kept(keeping: Promise<Kept>): Promise<Kept> {
    const { keepMs } = this.#timings;
    try {
      return await within(this.#parts.clock, keepMs, keeping, () => late(keepMs));
    } catch (thrown) {
      return { keptAt: null, notKept: messageOf(thrown) };
    }
  }

  async #drop(): Promise<void> {
    const { keeper, clock } = this.#parts;
    const { keepMs } = this.#timings;
    // What stays by mistake is sent once more some day, and taken once.
    await within(clock, keepMs, keeper.drop(), () => late(keepMs)).catch(() => undefined);
  }
}

function isSame(before: PathState | undefined, now: PathState): boolean {
  if (before?.kind === 'failed' && now.kind === 'failed') return before.why === now.why;
  return before?.kind === 'provisional' && now.kind === 'provisional' && before.says === now.says;
}

function late(ms: number): KilldrillError {
  return new KilldrillError('PATH_LATE', `no answer within ${ms} ms`);
}
