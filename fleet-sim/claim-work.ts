import type { ClaimToken, ClaimedTask, Clock, TaskEffect } from '../src/index.ts';

const MARK = '@';

/** What is done under one claim on a task, attached children included. */
export class ClaimWork {
  readonly task: ClaimedTask;
  readonly token: ClaimToken;
  /** What earlier claims have done, by idempotency key. */
  readonly #effects: ReadonlyMap<string, TaskEffect>;
  readonly #calls = new Set<Promise<unknown>>();
  readonly #occurrence: string;

  constructor(task: ClaimedTask) {
    this.task = task;
    this.token = { task: task.id, token: task.token };
    this.#effects = new Map(task.effects.map((effect) => [effect.key, effect]));
    this.#occurrence = task.repeat === null ? '' : occurrenceOf(task);
  }

  /** The key of a step, the same for every attempt at it, and another one for each occurrence of a task that repeats. */
  keyOf(run: string, step: number): string {
    return `${run}/${step}${this.#occurrence}`;
  }

  /** The key of a task that is a single step: its id. */
  get ownKey(): string {
    return `${this.task.id}${this.#occurrence}`;
  }

  effect(key: string): TaskEffect | undefined {
    return this.#effects.get(key);
  }

  /** Follows a call to its real end, which may come after its caller was told of an abort. */
  follow<T>(call: Promise<T>): Promise<T> {
    const forget = (): void => void this.#calls.delete(call);
    this.#calls.add(call);
    call.then(forget, forget);
    return call;
  }

  /** Resolves once no call is out any more, or after `withinMs`: a call that ignores its signal must not hold the task. */
  callsEnded(clock: Clock, withinMs: number): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.after(withinMs, resolve);
      void Promise.allSettled(this.#calls).then(() => {
        cancel();
        resolve();
      });
    });
  }
}

/**
 * Names one occurrence. A retry moves the time at which a task is due, so that what this occurrence has sent already says
 * first what it is called; what earlier occurrences have sent, the store leaves out.
 */
function occurrenceOf({ effects, dueAt }: ClaimedTask): string {
  const named = effects.find(({ key }) => key.includes(MARK));
  return named === undefined ? `${MARK}${dueAt}` : named.key.slice(named.key.lastIndexOf(MARK));
}
