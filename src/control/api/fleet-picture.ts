import type { Clock } from '../../clock.ts';
import { KilldrillError, messageOf } from '../../errors.ts';
import type { RegisteredWorker } from '../../store/effectiveness-port.ts';
import { within } from '../../within.ts';
import { lastProvenMs } from '../canary.ts';
import { isGone, shortPools } from '../present-workers.ts';
import { isSilent } from '../effectiveness.ts';
import type { StopState, WorkerStanding } from '../effectiveness.ts';
import type { ControlApiParts } from './parts.ts';
import { provenOf } from './proven.ts';
import type { Proven } from './proven.ts';
import { switchesOf } from './switches.ts';

/** How a worker stands to the record, in words for a person. */
export type WorkerCondition = 'up to date' | 'behind' | 'silent' | 'gone' | 'no report yet' | 'another history';

/** One worker as the page shows it. */
export interface WorkerRow {
  readonly worker: string;
  readonly incarnation: string;
  readonly pool: string;
  /** Null when it does not say. */
  readonly version: string | null;
  readonly state: WorkerCondition;
  /** The revision that it has applied. */
  readonly applied: number | null;
  readonly seenAgoMs: number | null;
  readonly inFlight: number;
  /** How it stands to each open stop that is shown. */
  readonly stops: readonly { readonly on: string; readonly state: WorkerStanding['state']; readonly why: string }[];
}

/** How far one open stop has come. */
export interface StopProgress {
  readonly id: string;
  readonly state: StopState['state'];
  readonly confirmed: number;
  readonly fenced: number;
  readonly unconfirmed: number;
  /** The first things that keep it from being called effective. */
  readonly missing: readonly string[];
  /** What an `effective` does not speak of. */
  readonly excepted: string;
}

/** The fleet's workers, and how far the newest open stops have come. */
export interface FleetPicture {
  /** Why the last look failed; what is here is then from before. Null if it did not. */
  readonly unseen: string | null;
  /** Null when nobody can know, since no store is asked about the fleet here. */
  readonly proven: Proven | null;
  readonly workers: readonly WorkerRow[];
  /** How many more there are than are shown. */
  readonly hidden: number;
  readonly stops: readonly StopProgress[];
}

/** A picture older than this is made anew when somebody asks, milliseconds. */
const FRESH_MS = 1_000;
/** Longest that anybody waits for one: a page is whole without it. */
const BOUND_MS = 1_000;
/** Each is a question to the store. */
const STOPS_SHOWN = 8;
const WORKERS_SHOWN = 200;
const MISSING_SHOWN = 5;
const NOTHING: FleetPicture = { unseen: null, proven: null, workers: [], hidden: 0, stops: [] };

/** Looks at the fleet for all who want to see it: at most one look at a time, and one a second. */
export class FleetPictures {
  readonly #parts: Pick<ControlApiParts, 'registry' | 'lease' | 'fleet' | 'canary'>;
  readonly #clock: Clock;
  #last: { readonly picture: FleetPicture; readonly atMs: number } | null = null;
  #looking: Promise<FleetPicture> | null = null;

  constructor(parts: Pick<ControlApiParts, 'registry' | 'lease' | 'fleet' | 'clock' | 'canary'>) {
    this.#parts = parts;
    this.#clock = parts.clock;
  }

  /** A picture of now, or the last one with why there is none. Bounded; never rejects. The same object while nothing is newer. */
  async latest(): Promise<FleetPicture> {
    const last = this.#last;
    if (last !== null && this.#clock.monotonicMs() - last.atMs < FRESH_MS) return last.picture;
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    const late = (): Error => new KilldrillError('FLEET_LATE', `the store did not answer within ${BOUND_MS} ms`);
    return within(this.#clock, BOUND_MS, this.#looking, late).catch((thrown: unknown) => this.#unseen(thrown));
  }

  async #look(): Promise<FleetPicture> {
    const picture = await this.#see().catch((thrown: unknown) => this.#unseen(thrown));
    this.#last = { picture, atMs: this.#clock.monotonicMs() };
    return picture;
  }

  #unseen(thrown: unknown): FleetPicture {
    const unseen = messageOf(thrown);
    if (this.#last === null) return { ...NOTHING, proven: this.#proven(null, []), unseen };
    const { picture, atMs } = this.#last;
    // A store that is away has unproven nothing; what was proven grows older all the same.
    const wasMs = picture.proven?.agoMs ?? null;
    const agoMs = wasMs === null ? null : wasMs + this.#clock.monotonicMs() - atMs;
    return { ...picture, proven: this.#proven(agoMs, picture.proven?.short ?? []), unseen };
  }

  #proven(agoMs: number | null, short: readonly string[]): Proven | null {
    const { fleet, canary } = this.#parts;
    return fleet === undefined ? null : provenOf(agoMs, short, canary?.() ?? null);
  }

  async #see(): Promise<FleetPicture> {
    const { fleet } = this.#parts;
    if (fleet === undefined) return NOTHING;
    const { head, engagements } = switchesOf(this.#parts);
    const newest = engagements
      .flatMap(({ id, scope, target, revision }) => (revision === null ? [] : [{ id, scope, target, revision }]))
      .toSorted((one, other) => other.revision - one.revision)
      .slice(0, STOPS_SHOWN);
    const stops: (StopState & { readonly on: string })[] = [];
    for (const { id, scope, target } of newest) {
      const state = await fleet.stop(id);
      if (state !== null && state.state !== 'closed') stops.push({ ...state, on: `${scope}:${target}` });
    }
    const facts = await fleet.facts();
    const { workers } = facts;
    const rows = workers.map((worker) => rowOf(worker, head?.revision ?? 0, stops)).toSorted(worstFirst);
    const hidden = Math.max(0, rows.length - WORKERS_SHOWN);
    const proven = this.#proven(lastProvenMs(facts), shortPools(facts));
    return { unseen: null, proven, workers: rows.slice(0, WORKERS_SHOWN), hidden, stops: stops.map(progressOf) };
  }
}

function rowOf(
  worker: RegisteredWorker,
  headRevision: number,
  stops: readonly (StopState & { readonly on: string })[],
): WorkerRow {
  const { incarnation, pool, version, appliedThrough: applied, reportedAgoMs: seenAgoMs, inFlight } = worker;
  const standings = stops.flatMap(({ on, workers }) => {
    const own = workers.find((one) => one.incarnation === incarnation);
    return own === undefined ? [] : [{ on, state: own.state, why: own.why }];
  });
  const state = conditionOf(worker, headRevision);
  return { worker: worker.worker, incarnation, pool, version, state, applied, seenAgoMs, inFlight, stops: standings };
}

function conditionOf(worker: RegisteredWorker, headRevision: number): WorkerCondition {
  if (isGone(worker)) return 'gone';
  if (worker.reportedAgoMs === null) return 'no report yet';
  if (isSilent(worker)) return 'silent';
  if (worker.appliedThrough === null) return 'another history';
  return worker.appliedThrough < headRevision ? 'behind' : 'up to date';
}

/** Whoever has not confirmed is what somebody looks for; then by name. */
function worstFirst(one: WorkerRow, other: WorkerRow): number {
  const open = ({ stops }: WorkerRow): number => stops.filter(({ state }) => state === 'unconfirmed').length;
  return open(other) - open(one) || (one.worker < other.worker ? -1 : 1);
}

function progressOf({ id, state, workers, missing, excepted }: StopState): StopProgress {
  const count = (wanted: WorkerStanding['state']): number => workers.filter((one) => one.state === wanted).length;
  const counts = { confirmed: count('confirmed'), fenced: count('fenced'), unconfirmed: count('unconfirmed') };
  return { id, state, ...counts, missing: missing.slice(0, MISSING_SHOWN), excepted };
}
