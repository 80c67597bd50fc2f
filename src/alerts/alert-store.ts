import type { FlipRecord, StoreAnswer } from '../store/store.ts';

/** What makes an alert stale: a release that is later than this. */
export type StaleGround =
  /** The last revision that the detector had seen. */
  | { readonly kind: 'revision'; readonly revision: number }
  /** When it was raised, and a skew for the clocks: wall-clock milliseconds, compared with the store's clock. */
  | { readonly kind: 'instant'; readonly atMs: number };

/** The stop that an alert asks for. */
export interface AlertTrip {
  /** Who asks, as far as proven. The flip's `triggeredBy`. */
  readonly detector: string;
  readonly alertId: string;
  /** sha256 (hex) of the alert's bytes. */
  readonly content: string;
  /** Made of detector, alert id and content: unique for ever, and the same in every executor. */
  readonly flipId: string;
  /** The flip's canonical text. */
  readonly text: string;
  readonly ground: StaleGround;
}

/** An alert's place on a bus. */
export interface AlertPlace {
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  /** sha256 (hex) over what tells this message from another that has the same place in a topic made anew. */
  readonly message: string;
}

/** A stop as it is offered to the store; the signature is over the flip's text. */
export interface AlertOffer {
  readonly place: AlertPlace;
  readonly trip: AlertTrip;
  readonly signature: string | null;
}

/** The store's answer to a stop. */
export type TripAnswer = StoreAnswer & {
  /** Where the partition stands now: the next alert to be recorded. Null: it was never placed. */
  readonly position: number | null;
} & (
    | {
        /** `duplicate`: the same alert has its flip already, by a record at another place. */
        readonly kind: 'flip' | 'duplicate';
        readonly record: FlipRecord;
        readonly isOpen: boolean;
      }
    /** No flip: the release at this revision had closed an engagement of the same detector on the same switch. */
    | { readonly kind: 'stale'; readonly revision: number }
    /** Not recorded: its id was used with other content. It is poison. */
    | { readonly kind: 'reused' }
  );

/** An alert that comes to no stop. */
export interface AlertRefusal {
  readonly place: AlertPlace;
  readonly kind: 'poison' | 'expired';
  readonly code: string;
  readonly why: string;
  /** Its stop, where one may be held early by somebody: whoever offers it is told that it is closed. */
  readonly flipId: string | null;
}

/** What became of alerts, and how far each partition was worked off. Only those with the flipper's right hold it. */
export interface AlertStore {
  /** The next alert to be recorded; null when the partition was never placed. */
  position(topic: string, partition: number): Promise<number | null>;
  /**
   * Records one alert in one statement, under the flip's lock: its flip, or that it is a duplicate or stale. The position
   * moves from this alert's to the next only if it stands at this alert; the flip is made durable wherever it stands.
   *
   * @throws KilldrillError as `FlipStore.flip`; then nothing was recorded.
   */
  trip(place: AlertPlace, trip: AlertTrip, signature: string | null): Promise<TripAnswer>;
  /**
   * As `trip` for each, in this order and in one statement, so that a storm takes the flip's lock seldom. All of one
   * partition.
   *
   * @throws as `trip`, for any of them; then none was recorded.
   */
  trips(offers: readonly AlertOffer[]): Promise<readonly TripAnswer[]>;
  /**
   * Records alerts that come to no stop, in one statement and in this order; of poison only after its dead letter is
   * kept. Each moves the position as `trip` does. Answers where the partition stands; null when it was never placed.
   */
  refuse(refusals: readonly AlertRefusal[]): Promise<number | null>;
  /**
   * Places a partition: for the first time (`from` null), or past what the bus no longer has, which goes on record with
   * its reason. Only if it stands at `from`; answers where it stands then.
   */
  place(topic: string, partition: number, from: number | null, to: number, why: string): Promise<number>;
}
