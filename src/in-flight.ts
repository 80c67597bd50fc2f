import type { Clock } from './clock.ts';
import type { Decider } from './decider.ts';
import { haltedByOperator, haltedUnverified } from './decider.ts';
import type { HaltedError } from './halted-error.ts';
import type { RunContext } from './run-context.ts';
import type { Subject } from './switch.ts';

/** A call between its dispatch and its end. */
export interface Call {
  readonly subject: Subject;
  readonly context: RunContext;
  /** Ends the call's signal with this reason; called at most once. */
  readonly abort: (reason: HaltedError) => void;
}

/**
 * The calls that are out, so that a trip can reach them.
 *
 * Every call has a controller of its own and all calls of a run share one reason: with the default reason each abort
 * captures a stack. 4,096 controllers with a listener each abort in 6-8 ms (Node 20, 2 cores).
 */
export class InFlight {
  /** Each call and whether it was aborted; an aborted call stays until it has really ended. */
  readonly #calls = new Map<Call, 'running' | 'aborted'>();
  readonly #decider: Decider;

  constructor(decider: Decider) {
    this.#decider = decider;
  }

  /** Calls that have not ended, aborted ones included. */
  get count(): number {
    return this.#calls.size;
  }

  /** Adds a call; the returned function takes it out again and may be called twice. */
  add(call: Call): () => void {
    this.#calls.set(call, 'running');
    return () => this.#calls.delete(call);
  }

  /** Aborts every call that an operator's stop covers by now, each once, and latches its run. */
  abortStopped(): void {
    for (const [call, state] of this.#calls) {
      if (state === 'aborted') continue;
      const stop = this.#decider.stopFor(call.subject);
      if (stop === null) continue;
      call.context.latch ??= haltedByOperator(call.subject.agent, stop);
      this.#abort(call, call.context.latch);
    }
  }

  /** Aborts everything, since nobody knows any more whether it may go on. Latches nothing. */
  abortUnverified(): void {
    for (const [call, state] of this.#calls) {
      if (state === 'aborted') continue;
      call.context.unverified ??= haltedUnverified(call.subject.agent);
      this.#abort(call, call.context.unverified);
    }
  }

  #abort(call: Call, reason: HaltedError): void {
    this.#calls.set(call, 'aborted');
    try {
      call.abort(reason);
    } catch {
      // The others must be aborted all the same; this one ends at its deadline.
    }
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
