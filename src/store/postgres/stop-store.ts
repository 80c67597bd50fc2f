import pg from 'pg';
import { KilldrillError } from '../../errors.ts';
import { parseFlip } from '../../flip-text.ts';
import type { StopOffer, StopStore } from '../stop-port.ts';
import type { FlipAnswer, FlipRecord } from '../store.ts';
import { underFlipLock } from './flip-lock.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { ResolvedStoreOptions, StoreOptions, StoreTimings } from './options.ts';
import { Session } from './session.ts';

/**
 * Bounds of somebody who keeps what is not answered and sends it again (DESIGN §10: attempt timeout 200 ms). A store that
 * comes back must hear of it before it gives anybody a lease, so that one attempt may not wait for longer.
 */
export const STOP_TIMINGS: Partial<StoreTimings> = {
  connectMs: 200,
  statementMs: 190,
  answerMs: 200,
  backOffMs: 20,
  lockMs: 50,
};

/** Stops on a connection of their own; its login role needs `killdrill_flipper`. Bounds are `STOP_TIMINGS` unless told. */
export function openStopStore(options: StoreOptions): Opened<StopStore> {
  return new PostgresStopStore(resolveStoreOptions({ ...options, timings: { ...STOP_TIMINGS, ...options.timings } }));
}

class PostgresStopStore implements StopStore {
  readonly #options: ResolvedStoreOptions;
  readonly #session: Session;

  constructor(options: ResolvedStoreOptions) {
    this.#options = options;
    this.#session = new Session('stops', options);
  }

  async stops(offers: readonly StopOffer[]): Promise<readonly FlipRecord[]> {
    for (const { text } of offers) this.#refuseUnlessOurs(text);
    // The function is volatile, so that each of its statements sees the flips before it in this one. The first of them
    // takes the lock, and the disk is waited for once.
    const sql = `select ${pg.escapeIdentifier(this.#options.schema)}.flip($1, o.text, o.signature, $4) as answer
      from unnest($2::text[], $3::text[]) with ordinality as o(text, signature, place) order by o.place`;
    const values = [
      this.#options.namespace,
      offers.map(({ text }) => text),
      offers.map(({ signature }) => signature),
      this.#options.timings.lockMs,
    ];
    const rows = await underFlipLock(this.#session, this.#options, () =>
      this.#session.use('stops', (ask) => ask(sql, values)),
    );
    return rows.map(({ answer }) => (answer as FlipAnswer).record);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #refuseUnlessOurs(text: string): void {
    const { kind, namespace, id } = parseFlip(text);
    if (namespace !== this.#options.namespace) {
      throw new KilldrillError(
        'FLIP_NAMESPACE',
        `the stop is of namespace '${namespace}', but this store was opened for '${this.#options.namespace}'`,
      );
    }
    if (kind !== 'stop') {
      throw new KilldrillError('NOT_A_STOP', `flip '${id}' is a ${kind}; only stops come by here`);
    }
  }
}
