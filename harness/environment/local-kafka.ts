import { readFileSync } from 'node:fs';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { openKafkaAdmin } from '../../src/alerts/kafka-topics.ts';
import type { KafkaAdmin } from '../../src/alerts/kafka-topics.ts';
import { createDrillTopics } from './drill-topics.ts';
import type { DrillTopics, KafkaDoor, KafkaServer } from './environment.ts';
import { findFreePorts } from './free-ports.ts';
import { DOORS, KafkaDoors } from './kafka-doors.ts';
import { installKafka, launchKafka, saidSince } from './kafka-process.ts';
import type { KafkaInstallation, KafkaProcess } from './kafka-process.ts';
import type { KafkaHome } from './kafka-home.ts';
import { kafkaProperties } from './kafka-properties.ts';
import { isAlive, lookUpProcess, signalProcess } from './process-table.ts';
import { waitUntil } from './wait.ts';

/** A Kafka broker of our own, on this machine. */
export interface LocalKafka extends KafkaServer {
  close(): Promise<void>;
}

export interface LocalKafkaOptions {
  readonly home: KafkaHome;
  /** The drill's folder, made. */
  readonly folder: string;
  /** 22 letters of base64url. */
  readonly clusterId: string;
  /** Told the broker's pid at each start, for a guardian where there is no /proc. */
  readonly onStarted?: (pid: number) => void;
}

const READY_BOUND_MS = 60_000;
const STOP_BOUND_MS = 15_000;
const SIGNAL_BOUND_MS = 5_000;
/** Ports that were free may be taken when the broker comes to them. */
const ATTEMPTS = 3;
const PORT_TAKEN = /Address already in use|BindException/;

/**
 * Formats a storage in the drill's folder and starts a broker on it, on free ports of the loopback.
 *
 * @throws KilldrillError `KAFKA_FORMAT_FAILED`, or `KAFKA_START_FAILED` with the last lines of its log.
 */
export async function startLocalKafka(options: LocalKafkaOptions): Promise<LocalKafka> {
  const { home, folder, clusterId, onStarted = () => undefined } = options;
  let ports: readonly number[] = [];
  const doors = await KafkaDoors.open((at) => ports[at] ?? null);
  try {
    for (let attempt = 1; ; attempt += 1) {
      ports = await findFreePorts(DOORS + 2);
      const installation = await installKafka(home, folder, propertiesFor(doors, ports), clusterId);
      const server = new Server(installation, doors, onStarted);
      try {
        await server.start();
        return server;
      } catch (error) {
        await server.kill();
        if (attempt === ATTEMPTS || !PORT_TAKEN.test(messageOf(error))) throw error;
      }
    }
  } catch (error) {
    await doors.close();
    throw error;
  }
}

function propertiesFor(doors: KafkaDoors, ports: readonly number[]) {
  const [controllerPort = 0, internalPort = 0] = ports.slice(DOORS);
  const listeners = doors.listeners.map((listener, at) => ({ ...listener, port: ports[at] ?? 0 }));
  return {
    ...kafkaProperties({ bindHost: '127.0.0.1', listeners, controllerPort, internalPort }),
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
  };
}

class Server implements LocalKafka {
  readonly #installation: KafkaInstallation;
  readonly #doors: KafkaDoors;
  readonly #admin: KafkaAdmin;
  readonly #onStarted: (pid: number) => void;
  #running: KafkaProcess | null = null;
  /** Operations run one after another: a fault's undo may come while the fault is still being injected. */
  #queue: Promise<void> = Promise.resolve();

  constructor(installation: KafkaInstallation, doors: KafkaDoors, onStarted: (pid: number) => void) {
    this.#installation = installation;
    this.#doors = doors;
    this.#onStarted = onStarted;
    this.#admin = openKafkaAdmin({ brokers: [doors.own] });
  }

  door(client: string): KafkaDoor {
    return this.#doors.door(client);
  }

  createTopics(drill: string): Promise<DrillTopics> {
    return createDrillTopics(this.#admin, `killdrill.${drill}`);
  }

  start(): Promise<void> {
    return this.#inTurn(() => this.#start());
  }

  kill(): Promise<void> {
    return this.#inTurn(() => this.#kill());
  }

  pause(): Promise<void> {
    return this.#inTurn(() => this.#signal('SIGSTOP', true));
  }

  resume(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#running !== null) await this.#signal('SIGCONT', false);
    });
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      const running = this.#running;
      if (running === null) return;
      signalProcess(running.id, 'SIGCONT');
      signalProcess(running.id, 'SIGTERM');
      await waitUntil(running.hasEnded, { boundMs: STOP_BOUND_MS });
      await this.#kill(); // finds nothing unless force is needed
    });
  }

  async close(): Promise<void> {
    this.#admin.close();
    await this.kill(); // its data go with the folder: an orderly end would only take longer
    await this.#doors.close();
  }

  async #start(): Promise<void> {
    if (this.#running !== null && !this.#running.hasEnded()) return;
    const { logPath } = this.#installation;
    const logStart = readFileSync(logPath).length;
    const running = launchKafka(this.#installation);
    this.#running = running;
    this.#onStarted(running.id.pid);
    let why = 'nobody answered';
    const settled = await waitUntil(
      async () => {
        if (running.hasEnded()) return true;
        try {
          return (await this.#admin.brokerCount()) > 0;
        } catch (error) {
          why = messageOf(error);
          return false;
        }
      },
      { boundMs: READY_BOUND_MS, everyMs: 50 },
    );
    if (settled && !running.hasEnded()) return;
    const found = running.hasEnded() ? 'the broker ended by itself' : `not ready within ${READY_BOUND_MS} ms (${why})`;
    await this.#kill();
    throw new KilldrillError(
      'KAFKA_START_FAILED',
      `Kafka did not start: ${found}; its log ends with:\n${saidSince(logPath, logStart)}`,
    );
  }

  async #kill(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    signalProcess(running.id, 'SIGKILL');
    const gone = await waitUntil(running.hasEnded, { boundMs: SIGNAL_BOUND_MS });
    if (!gone && isAlive(running.id)) {
      const message = `Kafka's process ${running.id.pid} was not gone ${SIGNAL_BOUND_MS} ms after SIGKILL; end it by hand`;
      throw new KilldrillError('KAFKA_NOT_KILLED', message);
    }
    this.#running = null;
  }

  async #signal(signal: 'SIGSTOP' | 'SIGCONT', stopped: boolean): Promise<void> {
    const running = this.#running;
    if (running === null || running.hasEnded())
      throw new KilldrillError('KAFKA_DOWN', 'Kafka is to be paused but is not running; start it first');
    const { pid } = running.id;
    const done = (): boolean => signalProcess(running.id, signal) && lookUpProcess(pid)?.stopped === stopped;
    if (await waitUntil(done, { boundMs: SIGNAL_BOUND_MS, everyMs: 5 })) return;
    throw new KilldrillError(
      'KAFKA_NOT_PAUSED',
      `Kafka's process ${pid} did not take ${signal} within ${SIGNAL_BOUND_MS} ms`,
    );
  }

  #inTurn(operation: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(operation);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}
