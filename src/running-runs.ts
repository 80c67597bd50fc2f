import type { Clock } from './clock.ts';
import type { RunContext } from './run-context.ts';

/** Runs that are being worked on in this process: between the begin of a body and the end of what it returned. */
export class RunningRuns {
  readonly #clock: Clock;
  readonly #since = new Map<RunContext, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Each with the monotonic instant at which it was entered, oldest first. */
  list(): readonly { readonly context: RunContext; readonly sinceMs: number }[] {
    return Array.from(this.#since, ([context, sinceMs]) => ({ context, sinceMs }));
  }

  /** Runs `body` and lists its run until the body, or the promise that it returned, has ended. */
  track<T>(context: RunContext, body: (context: RunContext) => T): T {
    const end = (): void => void this.#since.delete(context);
    this.#since.set(context, this.#clock.monotonicMs());
    let result: T;
    try {
      result = body(context);
    } catch (error) {
      end();
      throw error;
    }
    if (result instanceof Promise) void result.then(end, end);
    else end();
    return result;
  }
}
