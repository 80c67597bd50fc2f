/** Watches a promise from its start, so that a rejection is expected whenever it comes. */
export class Fate {
  #now = 'pending';
  #error: unknown = null;

  constructor(promise: Promise<unknown>) {
    promise.then(
      (value) => {
        this.#now = `resolved ${String(value)}`;
      },
      (error: unknown) => {
        this.#error = error;
        this.#now = `rejected ${error instanceof Error ? error.message : String(error)}`;
      },
    );
  }

  /** `pending`, `resolved <value>` or `rejected <message>`, as of now. */
  get now(): string {
    return this.#now;
  }

  /** What it was rejected with; null if it was not. */
  get error(): unknown {
    return this.#error;
  }
}
