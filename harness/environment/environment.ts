import type { ConnectTarget, Proxy } from './proxy.ts';

/** Where servers for drills come from (DESIGN §6). */
export type EnvironmentName = 'external' | 'containers' | 'local' | 'embedded' | 'none';

/** Real servers for drills. One environment can serve many drills, one after another. */
export interface Environment {
  readonly name: EnvironmentName;
  /** For `environment.json` and the first lines of the output: versions, what the alert bus is, why it was chosen. */
  readonly facts: Readonly<Record<string, string>>;
  readonly postgres: PostgresServer;
  /** Null where PostgreSQL is the alert bus too. */
  readonly kafka: KafkaServer | null;
  /** Makes a fresh, migrated database for one drill. */
  createDatabase(name: string): Promise<DrillDatabase>;
  /** Stops everything it started and removes its folders. Safe to call twice. */
  close(): Promise<void>;
}

/** A server under a drill, as faults see it. Where it is not ours, each rejects with `SERVER_NOT_OURS`. */
export interface FaultyServer {
  /** Kills every process of it with SIGKILL and waits until they are gone. */
  kill(): Promise<void>;
  /** Stops every process of it (SIGSTOP, or the freezer of its container). */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Stops it in an orderly way. */
  stop(): Promise<void>;
  /** Starts it again with the same data and the same addresses, and waits until it answers. */
  start(): Promise<void>;
}

/** The PostgreSQL server under a drill. */
export interface PostgresServer extends FaultyServer {
  /** Where proxies connect to; stays the same across restarts. */
  readonly target: ConnectTarget;
}

/** The Kafka broker under a drill. */
export interface KafkaServer extends FaultyServer {
  /**
   * A client's own way to the broker: the same name, the same door. A broker tells its clients where to connect to, so each
   * door is a listener of its own, whose address is that of a proxy.
   *
   * @throws KilldrillError `KAFKA_DOORS` when all are taken.
   */
  door(client: string): KafkaDoor;
  /** Topics for one drill, new and its own. */
  createTopics(drill: string): Promise<DrillTopics>;
}

export interface KafkaDoor {
  /** `host:port`, several with commas; stays the same across restarts. */
  readonly brokers: string;
  /** Where faults act on this client's connections; null at brokers that are not ours, which send clients to themselves. */
  readonly proxy: Proxy | null;
}

/** Names of one drill on the bus. */
export interface DrillTopics {
  readonly alerts: string;
  readonly deadLetters: string;
  /** What the names of the drill's consumer groups begin with. */
  readonly group: string;
  /** Removes the topics and the groups. */
  drop(): Promise<void>;
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
