import type { Direction } from '../environment/proxy-fault.ts';
import type { FaultKind, Plane } from '../history/event.ts';
import type { CriticalRules, ResumeStaging, ResumeWhich, RunContract } from '../../src/store/store.ts';
import type { QueuePolicy, Scope, StopMode } from '../../src/switch.ts';
import type { Trace } from '../traffic/trace.ts';

/** A scenario as the rest of the harness gets it: read, validated, every default filled in, times in milliseconds. */
export interface Scenario {
  readonly version: 1;
  readonly name: string;
  readonly description: string;
  readonly seed: number;
  readonly fleet: FleetSpec;
  readonly traffic: TrafficSpec;
  /** The downstream that effects land in. */
  readonly downstream: { readonly landsAfterAbort: boolean };
  readonly steadyState: { readonly forMs: number; readonly effectsPerSecond: { readonly min: number } };
  readonly timeline: readonly TimelineEntry[];
  readonly holdMs: number;
  readonly settleMs: number;
  readonly expect: {
    readonly timeToStop: { readonly connectedMs: number; readonly cutMs: number };
    /** From an alert's publishing to the last exposed worker's stop; null for no bound. */
    readonly alertToStopMs: number | null;
    /** From a runaway's first effect to the last exposed worker's stop; null for no bound. */
    readonly firstBadCallToStopMs: number | null;
    readonly effectsAfterBudget: number;
    readonly properties: 'all' | readonly string[];
  };
}

export type TrafficSpec = DrawnTraffic | GivenTraffic;

/** Made from the scenario's seed. */
export interface DrawnTraffic {
  readonly kind: 'drawn';
  readonly profile: 'production';
  readonly effectsPerSecond: number;
  readonly tenants: number;
}

/** A trace that there is already: an incident's, or that of an earlier drill. */
export interface GivenTraffic {
  readonly kind: 'given';
  /** As the scenario names it: relative to the scenario's file. */
  readonly file: string;
  /** Whether runs and probes that are there for the stops are added; without it, the trace is taken to the letter. */
  readonly primed: boolean;
  readonly trace: Trace;
}

export interface FleetSpec {
  readonly workers: number;
  readonly agentsPerWorker: number;
  /** Processes that read alerts and trip switches, named executor-1, executor-2 and so on. */
  readonly executors: number;
  /** Null for a fleet without any. */
  readonly detectors: DetectorsSpec | null;
  readonly leaseMs: number;
  /** The fleet's command and its arguments; null for the simulated fleet. */
  readonly command: readonly string[] | null;
  /** The switch that the fleet brings itself; null for one that uses the store of killdrill. */
  readonly levers: LeversSpec | null;
  /** Capabilities whose calls ignore their signal, of the simulated fleet; empty for none. */
  readonly deafTools: readonly string[];
  /** What the operator declares critical before the fleet starts; empty lists for nothing. */
  readonly critical: CriticalRules;
  /** The run contract that is declared before the fleet starts; null for none, and then no release is red. */
  readonly contract: RunContract | null;
}

/** How the fleet's own switch is pulled and asked. */
export interface LeversSpec {
  readonly stop: Lever;
  readonly release: Lever;
  /** Null for a switch that cannot be asked. */
  readonly status: Lever | null;
  /** How long one of them may take. */
  readonly withinMs: number;
}

/** A command, never a shell's, or a URL; words such as `{scope}` are put in when it is pulled. */
export type Lever =
  { readonly kind: 'command'; readonly words: readonly string[] } | { readonly kind: 'url'; readonly url: string };

/** Detectors in every worker of the fleet. */
export interface DetectorsSpec {
  readonly writeRate: {
    readonly per: 'tenant' | 'agent';
    /** Red at so many writes a second of one worker, averaged over the window. */
    readonly perSecond: number;
    readonly windowMs: number;
  };
}

/** When an entry happens. `previous` counts from the completion of the entry before (from T0 for the first). */
export type Anchor =
  | { readonly kind: 'start'; readonly offsetMs: number }
  | { readonly kind: 'previous'; readonly offsetMs: number }
  /** From the first flip's durability; `hold` is the scenario's hold. */
  | { readonly kind: 'flip'; readonly offsetMs: number }
  | { readonly kind: 'flip-hold' }
  | { readonly kind: 'exposed' }
  /** As soon as the n-th effect in scope of this switch has arrived, counted from T0 (`after: effect 137 of $busiest`). */
  | { readonly kind: 'effect'; readonly count: number; readonly scope: Scope; readonly target: string };

/**
 * The way by which a stop is asked for: put into the store by the operator, as an alert that the drill publishes, by an
 * alert of the fleet's own detectors, which a runaway makes red, beside the state file that the fleet watches, or over the
 * control API, whose process may be gone.
 */
export type StopPath = 'postgres' | 'alert' | 'detector' | 'file' | 'api';
/** The way by which a release is asked for. */
export type ReleasePath = Extract<StopPath, 'postgres' | 'api'>;

export interface FlipEntry {
  readonly kind: 'flip';
  readonly when: Anchor;
  readonly scope: Scope;
  /** May be a selector (`$busiest`, `$busiestCapability`, `$primedRun`) until it is resolved from the trace. */
  readonly target: string;
  readonly mode: StopMode;
  readonly queue: QueuePolicy;
  /** Null unless `queue` is `drain`. */
  readonly drainMs: number | null;
  readonly via: StopPath;
  /** Writes a second, about, of the runaway that is let loose; null unless `via` is `detector`. */
  readonly runawayPerSecond: number | null;
  /** False: the next entry does not wait for the answer, as when something happens in the middle of it. */
  readonly wait: boolean;
  /** The timeline goes on once an observer calls the stop effective, or after so long; null: it goes on once it is answered. */
  readonly effectiveWithinMs: number | null;
  readonly reason: string;
}

export interface ReleaseEntry {
  readonly kind: 'release';
  readonly when: Anchor;
  readonly scope: Scope;
  readonly target: string;
  /** `refused`: the drill expects it to be red. */
  readonly expect: 'taken' | 'refused';
  readonly via: ReleasePath;
  readonly reason: string;
}

/** Brings back what was discarded. */
export interface ResumeEntry {
  readonly kind: 'resume';
  readonly when: Anchor;
  /** Run ids and the tenant may be selectors until they are resolved. */
  readonly which: ResumeWhich;
  readonly staging: ResumeStaging;
}

/** Somebody mends the agents: from now on another model, prompt or tool version runs. */
export interface ContractEntry {
  readonly kind: 'contract';
  readonly when: Anchor;
  readonly contract: RunContract;
}

/** Issues compensations from the ledger, for what landed by writing in scope of this switch; `twice` asks for each a second time. */
export interface CompensateEntry {
  readonly kind: 'compensate';
  readonly when: Anchor;
  readonly scope: Scope;
  readonly target: string;
  readonly capability: string;
  /** At most so many entries, the newest first. */
  readonly atMost: number;
  readonly twice: boolean;
}

/** Puts alerts on the bus, as detectors do; the timeline goes on once the bus has acknowledged all of them. */
export interface AlertsEntry {
  readonly kind: 'alerts';
  readonly when: Anchor;
  /** So many sound alerts, each with an id of its own… */
  readonly count: number;
  /** …over so many switches: agents that the trace does not know, so that the stop of one hits nobody. */
  readonly targets: number;
  /** Among them, so many that cannot be read or may not ask for what they ask for. */
  readonly poison: number;
  /** So many of the sound ones come a second time, byte by byte. */
  readonly again: number;
  /**
   * Of switches that an alert of this drill stopped and a release opened again: so many whose detector had seen nothing of
   * the release.
   */
  readonly stale: number;
  /** How long it takes to publish them, evenly; 0 for as fast as the bus takes them. */
  readonly overMs: number;
}

/** Somebody with a worker's rights forges releases of what this drill has stopped there, in every manner and by every path. */
export interface ForgeEntry {
  readonly kind: 'forge';
  readonly when: Anchor;
  readonly scope: Scope;
  readonly target: string;
}

export interface FaultEntry {
  readonly kind: 'fault';
  readonly when: Anchor;
  readonly fault: FaultKind;
  /** `postgres`, `kafka`, `state-file`, `api`, `worker-1`, … or `executor-1`, … */
  readonly target: string;
  /** Null for a fault that is on no plane. */
  readonly plane: Plane | null;
  /** Null for a fault that has none. */
  readonly direction: Direction | null;
  /** Of a latency; of a jitter, its upper end. Null otherwise. */
  readonly delayMs: number | null;
  /** Of a bandwidth; null otherwise. */
  readonly bytesPerSecond: number | null;
  /** Of a clock: what is added to it, below 0 to set it back; null otherwise. */
  readonly offsetMs: number | null;
  /** Null: it lasts until the end of the drill. */
  readonly forMs: number | null;
}

export type TimelineEntry =
  FlipEntry | ReleaseEntry | ResumeEntry | ContractEntry | CompensateEntry | AlertsEntry | ForgeEntry | FaultEntry;
