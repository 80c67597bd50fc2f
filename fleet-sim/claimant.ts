import type { ClaimedTask, Clock, Decider, Runtime, TaskState } from '../src/index.ts';

export interface ClaimantOptions {
  /** Tasks at once at most. */
  readonly agents: number;
  readonly claims: Pick<Runtime['claims'], 'claim'>;
  readonly decider: Pick<Decider, 'verified'>;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
  /** Works on one task; never rejects. Resolves with the state in which it left it, null where nobody knows. */
  readonly begin: (task: ClaimedTask) => Promise<TaskState | null>;
  readonly log: (line: string) => void;
}

const POLL_MS = 200;
const CLAIM_AT_MOST = 16;

/** Claims tasks for as many agents as are free. */
export class Claimant {
  readonly #options: ClaimantOptions;
  readonly #running = new Set<Promise<void>>();
  #wake: (() => void) | null = null;
  #wanted = false;

  constructor(options: ClaimantOptions) {
    this.#options = options;
    options.stopping.addEventListener('abort', () => this.poke(), { once: true });
  }

  /** Something may be claimed: look at once, not at the next poll. */
  poke(): void {
    this.#wanted = true;
    this.#wake?.();
  }

  /** Claims until the worker is to end, and ends with the last of what it has claimed. */
  async run(): Promise<void> {
    const { agents, stopping, decider } = this.#options;
    while (!stopping.aborted) {
      const free = Math.min(CLAIM_AT_MOST, agents - this.#running.size);
      this.#wanted = false;
      // While nobody can be asked nothing could be done with a task; it stays where another worker can have it.
      const claimed = free > 0 && decider.verified() ? await this.#claim(free) : [];
      for (const task of claimed) this.#begin(task);
      // Whoever got something asks again at once: more may lie behind what a stop covers. Nothing is nothing for now.
      if (claimed.length === 0) await this.#poked();
    }
    await Promise.all(this.#running);
  }

  async #claim(limit: number): Promise<readonly ClaimedTask[]> {
    const { claims, log } = this.#options;
    try {
      return await claims.claim(limit);
    } catch (error) {
      log(`claiming failed: ${String(error)}`);
      return [];
    }
  }

  #begin(task: ClaimedTask): void {
    const running = this.#options.begin(task).then((state) => {
      this.#running.delete(running);
      // One that is queued again would be claimed, refused and queued in a circle, while its stop is not durable yet.
      if (state !== 'queued') this.poke();
    });
    this.#running.add(running);
  }

  #poked(): Promise<void> {
    if (this.#wanted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#wake = null;
        resolve();
      };
      const cancel = this.#options.clock.after(POLL_MS, wake);
      this.#wake = wake;
    });
  }
}
