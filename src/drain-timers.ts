import type { Clock } from './clock.ts';
import type { Registry } from './registry.ts';

interface Running {
  readonly drainMs: number;
  readonly cancel: () => void;
}

/**
 * Ends drains in a registry: each so long after the registry came to enforce it. A full load that brings a drain again
 * does not set it back.
 *
 * The store ends its half by its own clock, at the stop's commit plus the drain's length: nothing is claimed after that.
 * Ours only bounds what is in hand already. It is later by the way of the news, and by more in a worker that was cut off
 * when the drain began or that started under it: such a one gives the drain its whole length from when it heard of it.
 */
export class DrainTimers {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #running = new Map<string, Running>();
  #closed = false;

  constructor(registry: Registry, clock: Clock) {
    this.#registry = registry;
    this.#clock = clock;
    registry.onChange(() => this.#look());
  }

  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#running.values()) cancel();
    this.#running.clear();
  }

  #look(): void {
    if (this.#closed) return;
    const drains = new Map(this.#registry.drains().map(({ id, drainMs }) => [id, drainMs]));
    for (const [id, { drainMs, cancel }] of this.#running) {
      // Another length under the same id: the store's text has taken the place of an early one.
      if (drains.get(id) === drainMs) continue;
      cancel();
      this.#running.delete(id);
    }
    for (const [id, drainMs] of drains) if (!this.#running.has(id)) this.#start(id, drainMs);
  }

  #start(id: string, drainMs: number): void {
    const cancel = this.#clock.after(drainMs, () => {
      this.#running.delete(id);
      this.#registry.drainEnded(id);
    });
    this.#running.set(id, { drainMs, cancel });
  }
}
