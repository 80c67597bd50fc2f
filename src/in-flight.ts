import type { Tracked } from './call.ts';
import type { Clock } from './clock.ts';
import type { Decider } from './decider.ts';
import { haltedByOperator, haltedUnverified } from './decider.ts';
import type { RunContext } from './run-context.ts';
import type { Subject } from './switch.ts';

/** What ends calls from outside, all that share it at once: they are of one run and one capability. */
export interface SharedFate {
  abort(reason: Error): void;
}

/** A call between its dispatch and its end. */
export interface Call {
  readonly subject: Subject;
  readonly context: RunContext;
  readonly idempotencyKey: string;
  /** Monotonic instant of its dispatch. */
  readonly startedMs: number;
  /** What its signal hangs on; calls with the same one are aborted together. */
  readonly fate: SharedFate;
  /** Answers the one who waits for it. */
  readonly answer: (reason: Error) => void;
}

interface Out {
  readonly call: Call;
  readonly among: Together;
  hasEnded: boolean;
}

/** The calls that are out of those that share their fate. */
interface Together {
  readonly fate: SharedFate;
  /** In the order of their dispatch; never empty while it is known. */
  readonly calls: Set<Out>;
  aborted: boolean;
}

/** A call that has outlived its deadline: nobody knows what it still does. */
export interface UnconfirmedCall {
  readonly capability: string | null;
  readonly run: string;
  /** Monotonic instant of its dispatch. */
  readonly sinceMs: number;
}

/** Unconfirmed calls that are named at most; of more the oldest are only counted. */
const MAX_UNCONFIRMED = 1_000;

/**
 * The calls that are out, so that a trip can reach them.
 *
 * A trip decides once for all calls that share their fate, and all calls of a run share one reason: with the default reason
 * each abort captures a stack (figures: `npm run bench in-flight`).
 */
export class InFlight {
  /** An aborted call stays until it has really ended. */
  readonly #out = new Map<SharedFate, Together>();
  #count = 0;
  readonly #unconfirmed = new Set<Out>();
  #unconfirmedEver = 0;
  /** Unconfirmed calls that are no longer named and have not ended. */
  #unnamed = 0;
  readonly #decider: Decider;

  constructor(decider: Decider) {
    this.#decider = decider;
  }

  /** Calls that have neither ended nor reached their deadline, aborted ones included. */
  get count(): number {
    return this.#count;
  }

  /** How many calls went past their deadline since the start, ended by now or not. */
  get unconfirmedEver(): number {
    return this.#unconfirmedEver;
  }

  /** The calls of `count`, oldest first. */
  list(): readonly { readonly call: Call; readonly aborted: boolean }[] {
    return Array.from(this.#out.values(), ({ calls, aborted }) =>
      Array.from(calls, ({ call }) => ({ call, aborted })),
    ).flat();
  }

  /** Calls that ignore their signal: past their deadline and not ended, oldest first; at most the newest 1,000. */
  unconfirmed(): readonly UnconfirmedCall[] {
    return Array.from(this.#unconfirmed, ({ call: { subject, startedMs } }) => ({
      capability: subject.capability,
      run: subject.run,
      sinceMs: startedMs,
    }));
  }

  /**
   * What every call is about that has not ended, those past their deadline included; null when there are more of these than
   * are known by name.
   */
  subjects(): readonly Subject[] | null {
    if (this.#unnamed > 0) return null;
    const within = Array.from(this.#out.values(), ({ calls }) => Array.from(calls, ({ call }) => call.subject));
    return [...within.flat(), ...Array.from(this.#unconfirmed, ({ call }) => call.subject)];
  }

  /** Adds a call. */
  add(call: Call): Tracked {
    const out: Out = { call, among: this.#among(call.fate), hasEnded: false };
    out.among.calls.add(out);
    this.#count += 1;
    return {
      ended: () => {
        if (out.hasEnded) return;
        out.hasEnded = true;
        if (!this.#take(out) && !this.#unconfirmed.delete(out)) this.#unnamed -= 1;
      },
      unconfirmed: () => this.#nameUnconfirmed(out),
    };
  }

  #among(fate: SharedFate): Together {
    const known = this.#out.get(fate);
    if (known !== undefined) {
      // Should one ever join what was aborted, it must be reached as well: once more is no harm to the others.
      known.aborted = false;
      return known;
    }
    const together: Together = { fate, calls: new Set(), aborted: false };
    this.#out.set(fate, together);
    return together;
  }

  #take(out: Out): boolean {
    const { calls, fate } = out.among;
    if (!calls.delete(out)) return false;
    if (calls.size === 0) this.#out.delete(fate);
    this.#count -= 1;
    return true;
  }

  #nameUnconfirmed(out: Out): void {
    if (out.hasEnded || !this.#take(out)) return;
    this.#unconfirmedEver += 1;
    this.#unconfirmed.add(out);
    const [oldest] = this.#unconfirmed;
    if (this.#unconfirmed.size > MAX_UNCONFIRMED && oldest !== undefined) {
      this.#unconfirmed.delete(oldest);
      this.#unnamed += 1;
    }
  }

  /** Aborts every call that an operator's stop covers by now, each once, and latches its run. */
  abortStopped(): void {
    // For one capability of a run one decision is enough, whenever its calls began.
    const lastOf = new Map<RunContext, { readonly capability: string | null; readonly reason: Error | null }>();
    this.#abortEach(({ subject, context }) => {
      const { capability } = subject;
      const last = lastOf.get(context);
      if (last?.capability === capability) return last.reason;
      const reason = this.#latchIfStopped(subject, context);
      lastOf.set(context, { capability, reason });
      return reason;
    });
  }

  #latchIfStopped(subject: Subject, context: RunContext): Error | null {
    const stop = this.#decider.stopFor(subject);
    if (stop === null) return null;
    context.latch ??= withoutStack(() => haltedByOperator(subject.agent, stop));
    return context.latch;
  }

  /** Aborts everything, since nobody knows any more whether it may go on. Latches nothing. */
  abortUnverified(): void {
    const because = this.#decider.unverifiedBecause?.() ?? null;
    this.#abortEach(({ subject, context }) => {
      context.unverified ??= withoutStack(() => haltedUnverified(subject.agent, because));
      return context.unverified;
    });
  }

  /** Aborts every call that is made under this claim: it is another's by now. */
  abortClaim(token: string, reason: Error): void {
    this.#abortEach(({ context }) => (context.claim?.token === token ? reason : null));
  }

  /** All signals first: who waits for a call learns of it in the same tick, but not at the cost of the calls after it. */
  #abortEach(reasonFor: (call: Call) => Error | null): void {
    const ended: { readonly calls: readonly Out[]; readonly reason: Error }[] = [];
    for (const together of this.#out.values()) {
      const [first] = together.calls;
      const reason = together.aborted || first === undefined ? null : reasonFor(first.call);
      if (reason === null) continue;
      together.aborted = true;
      ended.push({ calls: [...together.calls], reason });
      abort(together.fate, reason);
    }
    for (const { calls, reason } of ended) for (const { call } of calls) call.answer(reason);
  }
}

function abort(fate: SharedFate, reason: Error): void {
  try {
    fate.abort(reason);
  } catch {
    // The others must be aborted all the same; these end at their deadline.
  }
}

/**
 * Makes an error that carries no stack: it would be that of whoever brought the news, the same for all of them, and
 * capturing one for each of 4,096 runs takes longer than everything else that a trip does.
 */
function withoutStack<E extends Error>(make: () => E): E {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = before;
  }
}

/** Aborts what is in flight once the registry has been unverified for longer than the grace. */
export function watchLease(
  { clock, decider, inFlight }: { readonly clock: Clock; readonly decider: Decider; readonly inFlight: InFlight },
  { graceMs, everyMs }: { readonly graceMs: number; readonly everyMs: number },
): () => void {
  let unverifiedSinceMs: number | null = null;
  let cancel = clock.after(everyMs, look);
  function look(): void {
    const nowMs = clock.monotonicMs();
    if (decider.verified()) unverifiedSinceMs = null;
    else if (unverifiedSinceMs === null) unverifiedSinceMs = nowMs;
    else if (nowMs - unverifiedSinceMs >= graceMs) inFlight.abortUnverified();
    cancel = clock.after(everyMs, look);
  }
  return () => cancel();
}
