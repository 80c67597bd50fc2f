import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import type { Lease } from '../lease.ts';
import type { Registry } from '../registry.ts';
import type { FlipRecord, FlipSource, FlipsAnswer, Subscription } from '../store/store.ts';
import { reportTo } from '../report-to.ts';

export interface FeedTimings {
  /** How often the store is asked when nothing else happens; a quarter of the lease. */
  readonly pollMs: number;
  /** Pause after a failed attempt; at most 100 ms (DESIGN §10). */
  readonly retryMs: number;
}

interface FeedParts {
  readonly source: FlipSource;
  readonly registry: Registry;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly timings: FeedTimings;
  /** Told of errors, for a log; they need no other treatment. */
  readonly onError?: (error: Error) => void;
}

/**
 * Keeps a registry and its lease fresh from the store: a full load, then notifications and polls on the same session.
 *
 * A notification applies a stop at once; the prefix moves by fetching only. Everything runs one after another, so an
 * answer is never overtaken by an older one.
 */
export class StoreFeed {
  readonly #parts: FeedParts;
  #subscription: Subscription | null = null;
  #needsLoad = true;
  #closed = false;
  #wake: (() => void) | null = null;
  #wanted = false;
  #loop: Promise<void> | null = null;
  readonly #onReady: (() => void)[] = [];
  #ready = false;
  readonly #report: (error: unknown) => void;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#report = reportTo(parts.onError);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Resolves once a full load was applied and listening was proven. */
  ready(): Promise<void> {
    if (this.#ready) return Promise.resolve();
    return new Promise((resolve) => this.#onReady.push(resolve));
  }

  /** Asks for a full reload as soon as possible: the store's history is not ours. */
  reload(): void {
    this.#needsLoad = true;
    this.#poke();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#poke();
    await this.#loop;
    await this.#subscription?.close().catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const { pollMs, retryMs } = this.#parts.timings;
      try {
        await this.#round();
        await this.#pause(pollMs);
      } catch (error) {
        this.#report(error);
        // News does not cut this pause short: a connection that is lost again and again would make it a busy loop.
        this.#wanted = false;
        await this.#pause(retryMs, 'deaf');
      }
    }
  }

  async #round(): Promise<void> {
    if (this.#subscription === null) await this.#listen();
    if (this.#needsLoad) await this.#load();
    else await this.#fetch();
    await this.#relay();
    this.#announce();
  }

  #announce(): void {
    if (this.#ready || this.#subscription === null || this.#needsLoad) return;
    this.#ready = true;
    for (const resolve of this.#onReady.splice(0)) resolve();
  }

  async #listen(): Promise<void> {
    let subscription: Subscription | null = null;
    let ended = false;
    // It may be lost before we hold it, and an old one may say so after a new one took its place.
    const lost = (): void => {
      ended = true;
      if (this.#subscription === subscription) this.#subscription = null;
      this.#poke();
    };
    subscription = await this.#parts.source.listen((record) => this.#notified(record), lost);
    if (!ended) this.#subscription = subscription;
  }

  #notified(record: FlipRecord | null): void {
    if (record !== null) {
      const { text, signature, epoch, revision } = record;
      try {
        this.#parts.registry.arrive({ text, signature, place: { epoch, revision } });
      } catch (error) {
        this.#report(error);
      }
    }
    this.#poke();
  }

  async #load(): Promise<void> {
    const { source, registry, lease } = this.#parts;
    // Before the question leaves, so that a reload which is asked for meanwhile is not taken for this one.
    this.#needsLoad = false;
    try {
      for (const proof of [registry.proofWanted, 'all'] as const) {
        const asked = lease.asked();
        const answer = await source.load(proof);
        if (registry.load(answer)) return void lease.renew(asked, answer);
      }
      throw new KilldrillError(
        'LOAD_UNPROVEN',
        "the store's answer does not say by what its closed stops were released; expected a store of this version",
      );
    } catch (error) {
      this.#needsLoad = true;
      throw error;
    }
  }

  async #fetch(): Promise<void> {
    const { source, registry, lease } = this.#parts;
    const { head } = registry;
    if (head === null) return this.#load();
    const asked = lease.asked();
    const answer = await source.flipsAfter(head);
    const standing = this.#apply(answer);
    if (standing === 'reached') lease.renew(asked, answer);
    else if (standing === 'diverged') await this.#distrust();
    // Still behind, but further than before: fetch on. Without progress the next poll is soon enough.
    else if (registry.head !== head) this.#poke();
  }

  /** `diverged` when our history is not the store's, or holds something that cannot be read: then nobody may go on. */
  #apply(answer: FlipsAnswer): ReturnType<Registry['standing']> {
    const { registry } = this.#parts;
    if (answer.kind === 'diverged') return 'diverged';
    try {
      return registry.apply(answer.flips).kind === 'diverged' ? 'diverged' : registry.standing(answer.head);
    } catch (error) {
      this.#report(error);
      return 'diverged';
    }
  }

  async #distrust(): Promise<void> {
    this.#parts.lease.revoke();
    this.#needsLoad = true;
    await this.#load();
  }

  async #relay(): Promise<void> {
    const { source, registry } = this.#parts;
    // All at once: one that the store refuses, or does not answer, holds back neither the others nor the next fetch.
    await Promise.all(
      registry.toRelay().map(async ({ id, text, signature }) => {
        try {
          registry.relayed(id, await source.relay(text, signature));
        } catch (error) {
          this.#report(error);
        }
      }),
    );
  }

  #poke(): void {
    this.#wanted = true;
    this.#wake?.();
  }

  /** Waits for `ms`; news ends it early, unless it is deaf. Closing always does. */
  #pause(ms: number, ears: 'open' | 'deaf' = 'open'): Promise<void> {
    if (this.#wanted || this.#closed) {
      this.#wanted = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const wake = (): void => {
        if (ears === 'deaf' && !this.#closed && !over) return;
        cancel();
        this.#wake = null;
        this.#wanted = false;
        resolve();
      };
      let over = false;
      const cancel = this.#parts.clock.after(ms, () => {
        over = true;
        wake();
      });
      this.#wake = wake;
    });
  }
}
