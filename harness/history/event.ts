import type { ForgeryEventBody } from './forgery.ts';
import type { FleetLifeBody, LeverStatusBody } from './lever-event.ts';
import type { StoreEventBody } from './store-event.ts';

/**
 * The history of a drill: what the harness did and what the witness saw, one JSON object a line.
 *
 * `t0` and `t1` are nanoseconds since the drill's origin and bound the instant from below and above. Events with
 * `clock: 'mono'` share one monotonic clock; events with `clock: 'store'` come from the store after the drill, their
 * times are the store's own (nanoseconds since its namespace was made) and are never compared with the others.
 */
export const HISTORY_VERSION = 1;

export interface Stamp {
  readonly v: typeof HISTORY_VERSION;
  /** 1, 2, 3, … without gaps, in order of writing. */
  readonly seq: number;
  readonly clock: 'mono' | 'store';
  readonly t0: number;
  readonly t1: number;
}

/** The world's channel of one incarnation of a worker: its own port and token. */
export type ChannelId = number;

export type FaultKind = 'kill' | 'pause' | 'restart' | 'clock' | FileFaultKind | PlaneFaultKind;
/** Faults on the state file that the fleet watches. */
export type FileFaultKind = 'tear' | 'remove';
/** Faults on a worker's connections on one plane. */
export type PlaneFaultKind = 'cut' | 'reset' | 'half-open' | 'latency' | 'jitter' | 'bandwidth';
/**
 * Of a worker: `registry`, `work` and, if it has detectors, `alerts` (the bus that they publish on). Of an executor:
 * `registry`, `alerts` (its bus) and `control` (where its stops go). Of the API: `registry` (its store) and `control` (where
 * the operator reaches it).
 */
export type Plane = WorkerPlane | ExecutorPlane | ApiPlane;
export type WorkerPlane = 'registry' | 'work' | 'alerts';
export type ExecutorPlane = 'registry' | 'alerts' | 'control';
export type ApiPlane = 'registry' | 'control';

/** A switch after selectors were resolved. */
export interface FlipFacts {
  /** `flip` counts the flips and releases of the drill from 1. */
  readonly flip: number;
  readonly kind: 'stop' | 'release';
  readonly scope: string;
  readonly target: string;
  readonly mode: string | null;
  /** Of a stop: what becomes of queued work. */
  readonly queue: string | null;
  /** Of a release: the engagements that it names. */
  readonly engagements: readonly string[];
  /** Of a release: whether the scenario expects the store to refuse it, since it is red. */
  readonly expected: 'taken' | 'refused';
  /**
   * The flip's id in the store. Of a release over the API it is the API that makes it: the answer has it, and the request one
   * that nobody uses.
   */
  readonly id: string;
}

/** What an operator does besides flips. `action` counts them from 1. */
export type ActionFacts = {
  readonly action: number;
} & (
  | { readonly kind: 'contract'; readonly contract: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'resume';
      readonly which: Readonly<Record<string, unknown>>;
      readonly staging: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'compensate'; readonly incarnation: string; readonly intent: number; readonly capability: string }
);

/**
 * One alert that the drill, or by its own word a worker of the fleet, puts on the bus. `alert` counts them from 1.
 */
export interface AlertFacts {
  readonly alert: number;
  /**
   * `sound` asks for a stop that is due; `again` has the bytes of an earlier one; `stale` was overtaken by a release of what
   * it asks for; `poison` cannot be read, or may not ask for what it asks for.
   */
  readonly kind: 'sound' | 'again' | 'stale' | 'poison';
  /** The stop of the timeline that it asks for; null for one that the timeline does not name. */
  readonly flip: number | null;
  /** The detector's name and the alert's id; null where the bytes have none. */
  readonly detector: string | null;
  readonly id: string | null;
  readonly scope: string | null;
  readonly target: string | null;
  readonly mode: string | null;
  /** Id that its stop has in the store; null of poison. */
  readonly flipId: string | null;
  /** sha256 of its bytes, hex: how the store's records and dead letters name it. */
  readonly content: string;
}

export interface FaultFacts {
  readonly fault: number;
  readonly kind: FaultKind;
  /** Worker or executor name, `postgres`, `kafka`, `state-file` or `api`. */
  readonly target: string;
  readonly plane: Plane | null;
}

export type EventBody =
  /** First event of every history. */
  | {
      readonly type: 'drill';
      readonly scenario: string;
      readonly seed: number;
      readonly bootId: string;
      /** The monotonic clock's reading at the origin, decimal nanoseconds. */
      readonly originNs: string;
      readonly workers: readonly string[];
      readonly environment: string;
    }
  | { readonly type: 'phase'; readonly phase: Phase }
  /** The run became due by its trace (T0 + dueMs). */
  | { readonly type: 'run.due'; readonly run: string }
  | { readonly type: 'run.handed'; readonly run: string; readonly worker: string; readonly channel: ChannelId }
  | {
      readonly type: 'effect.arrived';
      /** Counts the effects of the drill from 1. */
      readonly effect: number;
      readonly channel: ChannelId;
      readonly worker: string;
      readonly run: string;
      readonly capability: string;
      readonly key: string;
      /** Index into the run's plan; null when the plan has no such step left (a repeated key keeps its step). */
      readonly step: number | null;
      /** True when this key had arrived before. */
      readonly repeat: boolean;
    }
  /** The downstream did it: the effect is in the world. */
  | { readonly type: 'effect.landed'; readonly effect: number }
  /** The downstream refused it. */
  | { readonly type: 'effect.failed'; readonly effect: number }
  /** The connection was closed before the answer was sent. */
  | { readonly type: 'effect.closed'; readonly effect: number; readonly by: 'worker' | 'harness' }
  | { readonly type: 'effect.unattributed'; readonly port: number; readonly path: string; readonly why: string }
  | ({ readonly type: 'flip.requested' } & FlipFacts)
  | ({
      readonly type: 'flip.answered';
      readonly ok: boolean;
      readonly revision: number | null;
      readonly error: string | null;
      /** There when the stop was taken and is not durable yet, in its taker's words; then `revision` is null. */
      readonly provisional?: { readonly why: string; readonly reached: readonly string[]; readonly kept: boolean };
    } & FlipFacts)
  /** The runaways of this stop were let loose: nobody asks for it, unless the fleet's detectors notice. */
  | {
      readonly type: 'runaway.loose';
      readonly flip: number;
      readonly scope: string;
      readonly target: string;
      readonly runs: number;
    }
  /** What the observer said of a stop, each time that it said something else; asked at the earliest at `t0`, known by `t1`. */
  | {
      readonly type: 'stop.observed';
      readonly flip: number;
      readonly state: 'effective' | 'pending' | 'closed';
      readonly workers: readonly { readonly worker: string; readonly incarnation: string; readonly state: string }[];
      readonly missing: readonly string[];
    }
  /** A stop whose answer was provisional was found in the store. */
  | ({ readonly type: 'flip.durable'; readonly revision: number } & FlipFacts)
  | ({ readonly type: 'alert.published' } & AlertFacts)
  /** The bus has it for certain (`ok`), or said that it has not. */
  | ({ readonly type: 'alert.acknowledged'; readonly ok: boolean; readonly error: string | null } & AlertFacts)
  | ({ readonly type: 'operator.asked' } & ActionFacts)
  /** `answer` is what the store said: tasks and runs resumed, or the compensation's id, whether it was new, and its outcome. */
  | ({
      readonly type: 'operator.answered';
      readonly ok: boolean;
      readonly error: string | null;
      readonly answer: Readonly<Record<string, unknown>>;
    } & ActionFacts)
  /** A child run was started: the world's word for who descends from whom. */
  | {
      readonly type: 'run.spawned';
      readonly run: string;
      readonly parent: string;
      readonly step: number;
      readonly effect: number;
      readonly channel: ChannelId;
      readonly worker: string;
    }
  /** The harness has put a probe into the queue, in scope of this stop, as if admitted before it. */
  | { readonly type: 'probe.planted'; readonly flip: number; readonly run: string; readonly task: string }
  | ({ readonly type: 'fault.selected' | 'fault.injected' | 'fault.observed' } & FaultFacts)
  /** `acted` is there for a fault on a plane: what its proxy did, in connections and bytes. */
  | ({
      readonly type: 'fault.recovered';
      readonly acted?: { readonly connections: number; readonly refused: number; readonly bytes: number };
    } & FaultFacts)
  /** An undertaking of the conductor could not be done (`when: exposed` gave up, a fault could not be injected). */
  | { readonly type: 'conductor.gaveUp'; readonly what: string; readonly missing: string }
  | {
      readonly type: 'exposure';
      readonly flip: number;
      readonly worker: string;
      readonly open: number;
      readonly held: number;
    }
  | { readonly type: 'worker.spawned'; readonly worker: string; readonly channel: ChannelId; readonly pid: number }
  | {
      readonly type: 'worker.ready';
      readonly worker: string;
      readonly channel: ChannelId;
      readonly incarnation: string | null;
    }
  /** Any other line of the fleet contract that the worker said, as parsed. */
  | {
      readonly type: 'worker.said';
      readonly worker: string;
      readonly channel: ChannelId;
      readonly said: Readonly<Record<string, unknown>>;
    }
  | {
      readonly type: 'worker.exited';
      readonly worker: string;
      readonly channel: ChannelId;
      readonly code: number | null;
      readonly signal: string | null;
      /** Whether the harness had asked for it (end of drill or a kill fault). */
      readonly expected: boolean;
    }
  | { readonly type: 'executor.spawned'; readonly executor: string; readonly pid: number }
  /** It has joined its bus, and knows its store. */
  | { readonly type: 'executor.ready'; readonly executor: string }
  /** Any other line that it said: `alert.read`, `alert.held`, `alert.answered`, `alert.poison`, `mutant`, `bye`. */
  | { readonly type: 'executor.said'; readonly executor: string; readonly said: Readonly<Record<string, unknown>> }
  | {
      readonly type: 'executor.exited';
      readonly executor: string;
      readonly code: number | null;
      readonly signal: string | null;
      readonly expected: boolean;
    }
  | { readonly type: 'api.spawned'; readonly pid: number }
  /** It takes requests. */
  | { readonly type: 'api.ready' }
  /** Any other line that it said. */
  | { readonly type: 'api.said'; readonly said: Readonly<Record<string, unknown>> }
  | {
      readonly type: 'api.exited';
      readonly code: number | null;
      readonly signal: string | null;
      readonly expected: boolean;
    }
  /** The harness's event loop was blocked this long; arrivals during it have wide intervals. */
  | { readonly type: 'loop.lag'; readonly lagMs: number }
  | ForgeryEventBody
  | LeverStatusBody
  | FleetLifeBody
  | StoreEventBody;

/** Phases of a drill in their order; each event marks the phase's begin. */
export type Phase =
  'start' | 'traffic' | 'steady' | 'timeline' | 'hold' | 'settle' | 'drain' | 'stopping' | 'journal' | 'end';

export type HistoryEvent = Stamp & EventBody;
export type EventType = EventBody['type'];
export type EventOf<T extends EventType> = Extract<HistoryEvent, { readonly type: T }>;
