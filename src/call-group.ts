import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.ts';
import { KilldrillError } from './errors.ts';
import type { RunContext } from './run-context.ts';

/** What decides, beside the run, whether two calls share their fate. */
export interface GroupedEffect {
  readonly capability: string;
  readonly deadlineMs: number;
}

/** Calls of a run that begin within this time of each other count as begun together, milliseconds. */
const TOGETHER_MS = 1;

/**
 * Calls of one run that begin together, with one capability and one deadline: whatever ends one of them from outside ends
 * all, so that they share one signal and one timer. Aborting a signal costs about 2 µs, telling one more of its listeners
 * 0.1 µs (`npm run bench in-flight`). The deadline is that of the first of them, for the last at most a millisecond early.
 */
export class CallGroup {
  readonly effect: GroupedEffect;
  readonly startedMs: number;
  readonly #controller = new AbortController();
  /** What is to be done for each open call at the deadline. */
  readonly #open = new Set<() => void>();
  readonly #cancelDeadline: () => void;

  constructor(effect: GroupedEffect, startedMs: number, clock: Clock) {
    this.effect = effect;
    this.startedMs = startedMs;
    // Any number of calls may listen; that is no leak.
    setMaxListeners(0, this.#controller.signal);
    this.#cancelDeadline = clock.after(effect.deadlineMs, () => this.#expire());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get notAfterMs(): number {
    return this.startedMs + this.effect.deadlineMs;
  }

  /** Whether a call that begins now belongs to it: not once it was aborted, nor when all of its calls have ended. */
  takes({ capability, deadlineMs }: GroupedEffect, nowMs: number): boolean {
    return (
      this.effect.capability === capability &&
      this.effect.deadlineMs === deadlineMs &&
      nowMs - this.startedMs <= TOGETHER_MS &&
      this.#open.size > 0 &&
      !this.signal.aborted
    );
  }

  /** Adds a call; `late` is called should its deadline pass. Returns what to call when the call has ended. */
  join(late: () => void): () => void {
    this.#open.add(late);
    return () => {
      if (this.#open.delete(late) && this.#open.size === 0) this.#cancelDeadline();
    };
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  #expire(): void {
    const { capability, deadlineMs } = this.effect;
    this.abort(deadlinePassed(capability, deadlineMs));
    for (const late of [...this.#open]) late();
  }
}

/** The error of a call that outlived its deadline; `which` names it. */
export function deadlinePassed(which: string, deadlineMs: number): KilldrillError {
  return new KilldrillError('DEADLINE', `${which} did not end within its deadline of ${deadlineMs} ms`);
}

const latest = new WeakMap<RunContext, CallGroup>();

/** The group of a call that begins now: the run's latest, or a new one. */
export function groupOf(context: RunContext, effect: GroupedEffect, clock: Clock): CallGroup {
  const nowMs = clock.monotonicMs();
  const last = latest.get(context);
  if (last?.takes(effect, nowMs) === true) return last;
  const group = new CallGroup(effect, nowMs, clock);
  latest.set(context, group);
  return group;
}
