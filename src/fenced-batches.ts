import { KilldrillError, messageOf } from './errors.ts';
import { haltedUnverified } from './decider.ts';
import type { HaltedError } from './halted-error.ts';
import type { Asked, Lease } from './lease.ts';
import type { Registry } from './registry.ts';
import type { FenceAnswer, Head } from './store/store.ts';

/** What one kind of item needs to travel through the fence. */
export interface FencedTraffic<Item, Admitted> {
  /** Sends one batch; its answer decides for all of it. */
  send(head: Head, items: readonly Item[]): Promise<FenceAnswer>;
  /** About how much an item adds to its batch, characters: what of it may be long. */
  lengthOf(item: Item): number;
  /** What an admitted item's waiter gets. */
  admitted(item: Item): Admitted;
  /** Whether the answer leaves this item out, though it admits the batch (its claim is no longer ours). */
  disowned(item: Item, answer: FenceAnswer): boolean;
  /** Told of items whose batch got no answer: they may be in the store, and are never sent again. */
  givenUp(items: readonly Item[]): void;
}

export interface FencedLimits {
  /** Items in one batch at most. Default 256. */
  readonly maxBatch: number;
  /**
   * Characters after which a batch takes no more items, by `lengthOf`; it is longer by one item at most. Default 1,048,576:
   * long items would otherwise make a statement that is not answered in time, and a batch without an answer is given up.
   */
  readonly maxBatchLength: number;
  /** Items that wait at most; one more is refused as unverified. Default 10,000. */
  readonly maxWaiting: number;
  /** Times that one item may go round on "stale" before it is refused as unverified. Default 32. */
  readonly maxRounds: number;
}

export const DEFAULT_FENCED_LIMITS: FencedLimits = {
  maxBatch: 256,
  maxBatchLength: 1_048_576,
  maxWaiting: 10_000,
  maxRounds: 32,
};

/** Needs the registry's own news: a diverged store, and a fresh answer. */
export interface FenceContext {
  readonly registry: Registry;
  readonly lease: Lease;
  /** Asks for a full reload, since the store's history is not ours. */
  readonly diverged: () => void;
}

interface Waiting<Item, Admitted> {
  readonly make: () => Item;
  readonly agent: string;
  readonly refusal: () => HaltedError | null;
  readonly resolve: (admitted: Admitted) => void;
  readonly reject: (error: Error) => void;
  rounds: number;
}

interface Sent<Item, Admitted> {
  readonly item: Item;
  readonly waiting: Waiting<Item, Admitted>;
}

/**
 * Carries items through the fence: group commit per process, one batch in flight.
 *
 * A batch is formed, each item in it decided again, and the applied head read, in one tick; without that, an item decided
 * before a stop could travel under a head read after it. A batch without an answer is given up, never sent again.
 */
export class FencedBatches<Item, Admitted> {
  readonly #context: FenceContext;
  readonly #traffic: FencedTraffic<Item, Admitted>;
  readonly #limits: FencedLimits;
  #waiting: Waiting<Item, Admitted>[] = [];
  #inFlight: Promise<void> | null = null;
  #scheduled = false;

  constructor(
    context: FenceContext,
    traffic: FencedTraffic<Item, Admitted>,
    limits: FencedLimits = DEFAULT_FENCED_LIMITS,
  ) {
    this.#context = context;
    this.#traffic = traffic;
    this.#limits = limits;
  }

  /**
   * Has one item admitted. `make` is called each time a batch with it is formed; `refusal` is asked then, too.
   *
   * @throws HaltedError of kind `operator` when `refusal` says so, of kind `unverified` when the store did not admit it.
   * @throws KilldrillError `CLAIM_LOST` when the claim under which it travels is another's by now.
   */
  admit(agent: string, make: () => Item, refusal: () => HaltedError | null): Promise<Admitted> {
    if (this.#waiting.length >= this.#limits.maxWaiting) {
      return Promise.reject(haltedUnverified(agent, `${this.#limits.maxWaiting} effects wait for the store already`));
    }
    return new Promise<Admitted>((resolve, reject) => {
      this.#waiting.push({ make, agent, refusal, resolve, reject, rounds: 0 });
      this.#schedule();
    });
  }

  /** Resolves once nothing waits and no batch is in flight. */
  async idle(): Promise<void> {
    while (this.#inFlight !== null || this.#waiting.length > 0) await this.#inFlight;
  }

  #schedule(): void {
    if (this.#scheduled || this.#inFlight !== null || this.#waiting.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#inFlight !== null) return;
      this.#inFlight = this.#sendOne().finally(() => {
        this.#inFlight = null;
        this.#schedule();
      });
    });
  }

  /** Everything up to `send` happens in one tick: see the class's comment. Never rejects: a waiter is always answered. */
  async #sendOne(): Promise<void> {
    const { registry, lease } = this.#context;
    const batch = this.#form();
    const head = registry.head;
    if (batch.length === 0 || head === null) {
      for (const { waiting } of batch) waiting.reject(haltedUnverified(waiting.agent));
      return;
    }
    const asked = lease.asked();
    const items = batch.map(({ item }) => item);
    try {
      this.#settle(batch, asked, await this.#traffic.send(head, items));
    } catch (error) {
      this.#giveUp(batch, error);
    }
  }

  #form(): Sent<Item, Admitted>[] {
    const batch: Sent<Item, Admitted>[] = [];
    let taken = 0;
    let length = 0;
    for (const waiting of this.#waiting) {
      if (batch.length >= this.#limits.maxBatch || length >= this.#limits.maxBatchLength) break;
      taken += 1;
      try {
        const refused = waiting.refusal();
        if (refused !== null) {
          waiting.reject(refused);
          continue;
        }
        const item = waiting.make();
        length += this.#traffic.lengthOf(item);
        batch.push({ item, waiting });
      } catch (error) {
        waiting.reject(error instanceof Error ? error : new KilldrillError('CHECK_FAILED', messageOf(error)));
      }
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }

  #settle(batch: readonly Sent<Item, Admitted>[], asked: Asked, answer: FenceAnswer): void {
    switch (answer.kind) {
      case 'admitted':
        this.#context.lease.renew(asked, answer);
        return this.#admitted(batch, answer);
      case 'stale':
        if (this.#applyMissed(answer)) this.#context.lease.renew(asked, answer);
        return this.#goRound(batch);
      case 'diverged':
        this.#context.lease.revoke();
        this.#context.diverged();
        return this.#goRound(batch);
      case 'young':
        for (const { waiting } of batch) {
          waiting.reject(haltedUnverified(waiting.agent, 'the store has started too recently to be trusted'));
        }
        return;
      default:
        throw unknownAnswer(answer);
    }
  }

  #admitted(batch: readonly Sent<Item, Admitted>[], answer: FenceAnswer): void {
    // Who is left out is settled for all before anybody is told, so that an unreadable answer admits nobody.
    const disowned = new Set(batch.filter(({ item }) => this.#traffic.disowned(item, answer)));
    for (const sent of batch) {
      const { item, waiting } = sent;
      if (disowned.has(sent)) {
        waiting.reject(
          new KilldrillError('CLAIM_LOST', `the claim under which agent ${waiting.agent} works is no longer its own`),
        );
      } else {
        waiting.resolve(this.#traffic.admitted(item));
      }
    }
  }

  /** Returns whether we are where the store is now. A flip that cannot be applied must deny, not be skipped. */
  #applyMissed({ flips, head }: Extract<FenceAnswer, { kind: 'stale' }>): boolean {
    const { registry, lease, diverged } = this.#context;
    try {
      if (registry.apply(flips).kind !== 'diverged') return registry.standing(head) === 'reached';
    } catch {
      // Fall through: an unreadable flip is treated as a history that is not ours.
    }
    lease.revoke();
    diverged();
    return false;
  }

  #goRound(batch: readonly Sent<Item, Admitted>[]): void {
    const again: Waiting<Item, Admitted>[] = [];
    for (const { waiting } of batch) {
      waiting.rounds += 1;
      if (waiting.rounds <= this.#limits.maxRounds) again.push(waiting);
      else waiting.reject(haltedUnverified(waiting.agent, 'the registry cannot keep up with the store'));
    }
    this.#waiting = [...again, ...this.#waiting];
  }

  #giveUp(batch: readonly Sent<Item, Admitted>[], error: unknown): void {
    const reason = `the store did not answer a batch (${messageOf(error)})`;
    for (const { waiting } of batch) waiting.reject(haltedUnverified(waiting.agent, reason));
    this.#traffic.givenUp(batch.map(({ item }) => item));
  }
}

function unknownAnswer(answer: never): KilldrillError {
  return new KilldrillError('UNKNOWN_ANSWER', `the fence answered ${JSON.stringify(answer)}`);
}
