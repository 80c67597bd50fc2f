import type {
  AlertOffer,
  AlertPlace,
  AlertRefusal,
  AlertStore,
  AlertTrip,
  TripAnswer,
} from '../../alerts/alert-store.ts';
import { underFlipLock } from './flip-lock.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { ResolvedStoreOptions, StoreOptions } from './options.ts';
import { Session } from './session.ts';

type Tripped = { readonly answers: readonly TripAnswer[] };
type Stands = { readonly position: number | null };

/** What became of alerts, on a connection of its own; its login role needs `killdrill_flipper`. */
export function openAlertStore(options: StoreOptions): Opened<AlertStore> {
  return new PostgresAlertStore(resolveStoreOptions(options));
}

class PostgresAlertStore implements AlertStore {
  readonly #options: ResolvedStoreOptions;
  readonly #session: Session;

  constructor(options: ResolvedStoreOptions) {
    this.#options = options;
    this.#session = new Session('alerts', options);
  }

  async position(topic: string, partition: number): Promise<number | null> {
    const { position } = await this.#session.call<Stands>('alert_position', [this.#namespace, topic, partition]);
    return position;
  }

  trip(place: AlertPlace, trip: AlertTrip, signature: string | null): Promise<TripAnswer> {
    const { topic, partition, position, message } = place;
    const { detector, alertId, content, flipId, text, ground } = trip;
    const stale = ground.kind === 'revision' ? [ground.revision, null] : [null, ground.atMs];
    const alert = [detector, alertId, content, flipId, text, signature];
    const values = [this.#namespace, topic, partition, position, message, ...alert, ...stale, this.#lockMs];
    return underFlipLock(this.#session, this.#options, () => this.#session.call<TripAnswer>('trip_alert', values));
  }

  async trips(offers: readonly AlertOffer[]): Promise<readonly TripAnswer[]> {
    const [first] = offers;
    if (first === undefined) return [];
    const { topic, partition } = first.place;
    const list = offers.map(({ place, trip, signature }) => {
      const { detector, alertId, content, flipId, text, ground } = trip;
      const { position, message } = place;
      const stale = ground.kind === 'revision' ? { observed: ground.revision } : { raisedMs: ground.atMs };
      return { position, message, detector, alertId, content, flipId, text, signature, ...stale };
    });
    const values = [this.#namespace, topic, partition, JSON.stringify(list), this.#lockMs];
    const tripped = (): Promise<Tripped> => this.#session.call('trip_alerts', values);
    return (await underFlipLock(this.#session, this.#options, tripped)).answers;
  }

  async refuse(refusals: readonly AlertRefusal[]): Promise<number | null> {
    const [first] = refusals;
    if (first === undefined) return null;
    const { topic, partition } = first.place;
    const values = [
      ...[this.#namespace, topic, partition],
      refusals.map(({ place }) => place.position),
      refusals.map(({ place }) => place.message),
      refusals.map(({ kind }) => kind),
      refusals.map(({ code }) => code),
      refusals.map(({ why }) => storable(why)),
      refusals.map(({ flipId }) => flipId),
      this.#lockMs,
    ];
    const refused = (): Promise<Stands> => this.#session.call('refuse_alerts', values);
    return (await underFlipLock(this.#session, this.#options, refused)).position;
  }

  async place(topic: string, partition: number, from: number | null, to: number, why: string): Promise<number> {
    const values = [this.#namespace, topic, partition, from, to, why];
    const { position } = await this.#session.call<{ readonly position: number }>('place_alerts', values);
    return position;
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  get #namespace(): string {
    return this.#options.namespace;
  }

  get #lockMs(): number {
    return this.#options.timings.lockMs;
  }
}

/** The reason may quote what was found, and PostgreSQL keeps no NUL and no half of a surrogate pair. */
function storable(why: string): string {
  return why.replaceAll(/[\0\p{Cs}]/gu, '\uFFFD');
}
