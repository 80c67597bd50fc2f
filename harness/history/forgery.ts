/** How something is forged that is to lift a stop. */
export const FORGERIES = ['unsigned', 'stranger', 'stop-key', 'foreign', 'replayed'] as const;
export type Forgery = (typeof FORGERIES)[number];

/** By which way it goes, each with nothing but a worker's rights. */
export const FORGERY_PATHS = ['notify', 'relay', 'flip'] as const;
export type ForgeryPath = (typeof FORGERY_PATHS)[number];

/** A release that nobody who may release has made for what is open. `forgery` counts them from 1. */
export interface ForgeryFacts {
  readonly forgery: number;
  /**
   * `unsigned`; signed by a `stranger`, or by the `stop-key`, which may stop only; signed by the operator for a `foreign`
   * namespace; or an earlier release of the operator's, `replayed`.
   */
  readonly manner: Forgery;
  /** `notify`: as a notification of the store. `relay`: as a stop is relayed. `flip`: straight into the store, as the operator flips. */
  readonly path: ForgeryPath;
  readonly scope: string;
  readonly target: string;
  /** The engagements that it names; of a replayed one, those that the operator had named. */
  readonly engagements: readonly string[];
  /** The flip's id. */
  readonly id: string;
}

export type ForgeryEventBody =
  | ({ readonly type: 'forgery.sent' } & ForgeryFacts)
  /** `ok`: the store took it; a notification is taken by nobody, and then it was sent. `code` is why the store refused it. */
  | ({ readonly type: 'forgery.answered'; readonly ok: boolean; readonly code: string | null } & ForgeryFacts);
