import type { KafkaServer, PostgresServer } from '../environment/environment.ts';
import type { FaultReceipt } from '../environment/proxy-fault.ts';
import type { DrilledApi } from '../fleet/drilled-api.ts';
import type { Executors } from '../fleet/executors.ts';
import type { Fleet } from '../fleet/fleet.ts';

/** What faults act on. */
export interface FaultGround {
  readonly fleet: Fleet;
  /** Null in a drill without any. */
  readonly executors: Executors | null;
  /** Null in a drill without one. */
  readonly api: DrilledApi | null;
  readonly postgres: PostgresServer;
  /** Null where PostgreSQL is the alert bus. */
  readonly kafka: KafkaServer | null;
  /** The state file that the fleet watches; null in a drill without one. */
  readonly stateFile: string | null;
  readonly signal: AbortSignal;
}

/** One fault at work. `observed` is called once somebody other than the injector has noticed it. */
export interface Fault {
  /** Recovering starts something anew. */
  readonly endsWhatItHits: boolean;
  inject(ground: FaultGround, observed: () => void): Promise<void>;
  /** Undoes it and resolves once what it hit is well again. */
  recover(ground: FaultGround): Promise<void>;
  /** Of a fault on a plane: what it acted on, so far. */
  acted?(): FaultReceipt | null;
}
