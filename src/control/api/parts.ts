import type { Clock } from '../../clock.ts';
import type { JournalWatchStatus } from '../../detect/journal-watch.ts';
import type { FlipKeys } from '../../flip-signature.ts';
import type { Lease } from '../../lease.ts';
import type { MirrorStatus } from '../../propagation/state-mirror.ts';
import type { Registry } from '../../registry.ts';
import type { ControlStore } from '../../store/control-port.ts';
import type { FleetFacts } from '../../store/effectiveness-port.ts';
import type { PreviewStore } from '../../store/preview-port.ts';
import type { FlipStore } from '../../store/store.ts';
import type { StopState } from '../effectiveness.ts';
import type { CanaryStatus } from '../periodic-canary.ts';
import type { ChecksOf } from '../release.ts';
import type { SinkStatus } from '../sinks/flip-publisher.ts';
import type { StopTaker } from '../stop-taker.ts';
import type { ApiKeys } from './api-keys.ts';

/** What is known of the fleet's workers and of how far a stop has come (DESIGN §3.13). */
export interface FleetView {
  /** Each worker that has registered, and who should have. */
  facts(): Promise<Pick<FleetFacts, 'workers' | 'inventory'>>;
  /** How far this stop has come, by worker; null for one that is not there. */
  stop(id: string): Promise<StopState | null>;
  /** How long ago every worker that is there had last refused a canary, milliseconds; null when they have not, or nobody knows. */
  lastProvenMs(): Promise<number | null>;
}

/** What the API works on. */
export interface ControlApiParts {
  readonly namespace: string;
  readonly version: string;
  /** Of this process; a feed keeps it fresh. */
  readonly registry: Registry;
  readonly lease: Pick<Lease, 'held'>;
  readonly taker: StopTaker;
  /** For releases. */
  readonly flips: FlipStore;
  readonly record: ControlStore;
  /** The keys as of now. */
  readonly keys: () => ApiKeys;
  readonly clock: Clock;
  /** Makes ids of flips, which are unique for ever. */
  readonly newId: () => string;
  /** Signs a flip's text as this stop-taker; null for unsigned flips. */
  readonly sign: ((text: string) => string) | null;
  /** Whose flips agents believe; null where nothing has to be signed. */
  readonly flipKeys: FlipKeys | null;
  /** Vouches for the store's head after a release. Never rejects. */
  readonly vouch?: () => Promise<void>;
  /** What has not been restored yet, in words; null once everything is. */
  readonly missing: () => string | null;
  readonly executor?: () => { readonly isReading: boolean; readonly backlog: number; readonly unanswered: number };
  readonly fleet?: FleetView;
  /** How far those are who are told of every flip. */
  readonly sinks?: () => readonly SinkStatus[];
  /** How far the state file is that this process keeps equal to the store. */
  readonly mirror?: () => MirrorStatus;
  /** Counts what a stop would hit. */
  readonly preview?: PreviewStore;
  /** Where this process flies canaries. */
  readonly canary?: () => CanaryStatus;
  /** Where this process has detectors that read the journal. */
  readonly detectors?: () => JournalWatchStatus;
  /** What has to be green before these switches are released. */
  readonly greenChecks?: ChecksOf;
  readonly onError?: (error: Error) => void;
}
