import { KilldrillError } from '../../errors.ts';
import { parseFlip } from '../../flip-text.ts';
import type { FlipAnswer, FlipOptions, FlipStore, OpenEngagement } from '../store.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { ResolvedStoreOptions, StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** Tries for the lock before those who hold it up are terminated (DESIGN §3.4). */
const TRIES = 3;
/** How often that is done before the flip is refused; a holder that outlives this is no worker. */
const ROUNDS = 3;

/** The control plane; its login role needs `killdrill_flipper`. */
export function openFlipStore(options: StoreOptions): Opened<FlipStore> {
  return new PostgresFlipStore(resolveStoreOptions(options));
}

class PostgresFlipStore implements FlipStore {
  readonly #options: ResolvedStoreOptions;
  readonly #session: Session;

  constructor(options: ResolvedStoreOptions) {
    this.#options = options;
    this.#session = new Session('control', options);
  }

  async flip(text: string, signature: string | null, options: FlipOptions = {}): Promise<FlipAnswer> {
    const { namespace } = parseFlip(text);
    if (namespace !== this.#options.namespace) {
      throw new KilldrillError(
        'FLIP_NAMESPACE',
        `the flip is of namespace '${namespace}', but this store was opened for '${this.#options.namespace}'`,
      );
    }
    for (let round = 1; ; round += 1) {
      const answer = await this.#tryForLock(text, signature, options);
      if (answer !== null) return answer;
      if (round === ROUNDS) throw this.#heldUp();
      await this.#session.call<number>('terminate_holders', [namespace]);
    }
  }

  async openEngagements(): Promise<readonly OpenEngagement[]> {
    type Row = { readonly revision: number; readonly text: string };
    const rows = await this.#session.call<readonly Row[]>('open_engagements', [this.#options.namespace]);
    return rows.map(({ revision, text }) => ({ revision, flip: parseFlip(text) }));
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** Null when the lock was not to be had. Nothing was written then, so that trying again is safe. */
  async #tryForLock(text: string, signature: string | null, options: FlipOptions): Promise<FlipAnswer | null> {
    const { namespace, timings } = this.#options;
    const values = [namespace, text, signature, timings.lockMs, options.evenIfRed ?? null];
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      try {
        return await this.#session.call<FlipAnswer>('flip', values);
      } catch (thrown) {
        if (!(thrown instanceof KilldrillError && thrown.code === 'STORE_BUSY')) throw thrown;
      }
    }
    return null;
  }

  #heldUp(): KilldrillError {
    const waitedMs = TRIES * ROUNDS * this.#options.timings.lockMs;
    return new KilldrillError(
      'STORE_BUSY',
      `the flip waited ${waitedMs} ms for the lock of namespace '${this.#options.namespace}', and terminating those who share it did not help; look in pg_locks for who holds it exclusively`,
    );
  }
}
