import type { ConnectTarget } from './proxy.ts';

/** Real servers for drills. One environment can serve many drills, one after another. */
export interface Environment {
  readonly name: 'embedded';
  /** For `environment.json` and the first lines of the output: versions, what the alert bus is, why it was chosen. */
  readonly facts: Readonly<Record<string, string>>;
  readonly postgres: PostgresServer;
  /** Makes a fresh, migrated database for one drill. */
  createDatabase(name: string): Promise<DrillDatabase>;
  /** Stops everything it started and removes its folders. Safe to call twice. */
  close(): Promise<void>;
}

/** The PostgreSQL server under a drill, as faults see it. */
export interface PostgresServer {
  /** Where proxies connect to; stays the same across restarts. */
  readonly target: ConnectTarget;
  /** Kills the postmaster and all its backends with SIGKILL and waits until they are gone. */
  kill(): Promise<void>;
  /** Stops every process of it with SIGSTOP, postmaster first. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Stops it in an orderly way (fast shutdown). */
  stop(): Promise<void>;
  /** Starts it again in the same data directory and waits until it accepts connections. */
  start(): Promise<void>;
}

/** Connection details per role of DESIGN §10; the harness puts a proxy's port into them. */
export interface DrillDatabase {
  readonly name: string;
  readonly owner: Credentials;
  readonly flipper: Credentials;
  readonly worker: Credentials;
  drop(): Promise<void>;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}
