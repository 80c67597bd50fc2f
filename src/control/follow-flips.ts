import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { FlipRecord, FlipSource, Head, LoadAnswer, Subscription } from '../store/store.ts';

export type FlipNews =
  /** What was open, and where the record ended, when the watching began or had to begin anew. */
  | { readonly kind: 'loaded'; readonly load: LoadAnswer; readonly why: 'start' | 'diverged' }
  | { readonly kind: 'flip'; readonly record: FlipRecord }
  /** Nobody knows what is stopped meanwhile. */
  | { readonly kind: 'away'; readonly why: string }
  | { readonly kind: 'back' };

export interface FollowParts {
  readonly source: FlipSource;
  readonly clock: Clock;
  /** Only flips after this revision; null for those that come from now on. */
  readonly since: number | null;
  /** Told in the order of the record, each flip once; may throw nothing. */
  readonly onNews: (news: FlipNews) => void;
  /** Looks at the record also when no notification comes, milliseconds. Default 1,000. */
  readonly pollMs?: number;
  /** Pause after the store did not answer, milliseconds. Default 250. */
  readonly retryMs?: number;
}

/** Tells of flips as they come, from the record alone, until the signal fires. Lives through everything that the store does. */
export async function followFlips(parts: FollowParts, signal: AbortSignal): Promise<void> {
  await new Following(parts, signal).run();
}

class Following {
  readonly #parts: FollowParts;
  readonly #signal: AbortSignal;
  #head: Head | null = null;
  #isAway = false;
  #isListening = false;
  #wake: () => void = () => undefined;
  #isWoken = false;

  constructor(parts: FollowParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    let subscription: Subscription | null = null;
    while (!this.#signal.aborted) {
      try {
        // First listened, then fetched: a flip between the two comes by one of them.
        if (!this.#isListening) subscription = await this.#listen();
        await this.#catchUp();
        this.#answered();
        await this.#rest(this.#parts.pollMs ?? 1_000);
      } catch (thrown) {
        this.#failed(messageOf(thrown));
        await this.#rest(this.#parts.retryMs ?? 250);
      }
    }
    await subscription?.close().catch(() => undefined);
  }

  async #listen(): Promise<Subscription> {
    const rouse = (): void => {
      this.#isWoken = true;
      this.#wake();
    };
    const subscription = await this.#parts.source.listen(rouse, () => {
      this.#isListening = false;
      rouse();
    });
    this.#isListening = true;
    return subscription;
  }

  async #catchUp(): Promise<void> {
    this.#isWoken = false;
    const head = this.#head ?? (await this.#begin('start'));
    const answer = await this.#parts.source.flipsAfter(head);
    if (answer.kind === 'diverged') {
      await this.#begin('diverged');
      return;
    }
    for (const record of answer.flips) {
      if (this.#signal.aborted) return;
      this.#head = { epoch: record.epoch, revision: record.revision, hash: record.hash };
      if (record.revision > (this.#parts.since ?? 0)) this.#parts.onNews({ kind: 'flip', record });
    }
  }

  async #begin(why: 'start' | 'diverged'): Promise<Head> {
    const load = await this.#parts.source.load();
    const isFromTheBeginning = this.#parts.since !== null && why === 'start';
    this.#head = isFromTheBeginning ? { epoch: load.head.epoch, revision: 0, hash: '' } : load.head;
    this.#parts.onNews({ kind: 'loaded', load, why });
    return this.#head;
  }

  #failed(why: string): void {
    if (this.#isAway || this.#signal.aborted) return;
    this.#isAway = true;
    this.#parts.onNews({ kind: 'away', why });
  }

  #answered(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#parts.onNews({ kind: 'back' });
  }

  /** Until somebody rouses us, the time is up, or all of it is over. */
  #rest(ms: number): Promise<void> {
    if (this.#isWoken || this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, end);
      this.#signal.addEventListener('abort', end);
      this.#wake = end;
    });
  }
}
