import { parseFlip } from '../../flip-text.ts';
import type {
  FlipRecord,
  FlipSource,
  FlipsAnswer,
  Head,
  LoadAnswer,
  RelayAnswer,
  Subscription,
  WantedProof,
} from '../store.ts';
import { flipChannel } from './flip-channel.ts';
import { Listening } from './listening.ts';
import { readLoad } from './load.ts';
import { resolveStoreOptions } from './options.ts';
import type { ResolvedStoreOptions, StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** A port that holds a connection of its own. */
export type Opened<Port> = Port & { close(): Promise<void> };

/**
 * The registry plane on one session: the same connection listens, polls and relays, so that a poll that is answered
 * proves that the listening connection lives. Connects with the first call.
 */
export function openFlipSource(options: StoreOptions): Opened<FlipSource> {
  return new PostgresFlipSource(resolveStoreOptions(options));
}

class PostgresFlipSource implements FlipSource {
  readonly #namespace: string;
  readonly #lockMs: number;
  readonly #options: ResolvedStoreOptions;
  readonly #session: Session;
  readonly #listening: Listening;

  constructor(options: ResolvedStoreOptions) {
    this.#namespace = options.namespace;
    this.#options = options;
    this.#lockMs = options.timings.lockMs;
    this.#session = new Session('flips', options, {
      notified: (channel, payload) => this.#listening.notified(channel, payload),
      lost: (error) => this.#listening.lost(error),
    });
    this.#listening = new Listening(this.#session, flipChannel(options.namespace), options);
  }

  load(proof: WantedProof = 'none'): Promise<LoadAnswer> {
    return readLoad(this.#session, this.#options, proof);
  }

  flipsAfter(head: Head): Promise<FlipsAnswer> {
    return this.#session.call('flips_after', [this.#namespace, head.epoch, head.revision, head.hash]);
  }

  async relay(text: string, signature: string | null): Promise<RelayAnswer> {
    parseFlip(text);
    return this.#session.call('relay', [this.#namespace, text, signature, this.#lockMs]);
  }

  listen(onFlip: (record: FlipRecord | null) => void, lost: (error: Error) => void): Promise<Subscription> {
    return this.#listening.listen(onFlip, lost);
  }

  async close(): Promise<void> {
    this.#listening.stop();
    await this.#session.close();
  }
}
