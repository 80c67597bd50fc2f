import { KilldrillError } from '../../src/errors.ts';
import type { DrillTopics, KafkaServer } from '../environment/environment.ts';
import type { ConnectTarget, Proxy, startProxy } from '../environment/proxy.ts';
import type { ExecutorPlane } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import { endProcesses } from './end-processes.ts';
import { ExecutorProcess } from './executor-process.ts';
import { untilReady } from './ready.ts';

/** The bus on Kafka that executors read: each through a door of its own. */
export interface ExecutorsKafka {
  readonly server: Pick<KafkaServer, 'door'>;
  readonly topics: DrillTopics;
}

export interface ExecutorsOptions {
  readonly command: readonly string[];
  readonly executors: readonly string[];
  /** Variables that are the same for all executors, and whatever the process needs to start. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly history: HistorySink;
  readonly postgres: ConnectTarget;
  /** The store's URL as an executor reaches it on the given port, with a worker's rights. */
  readonly registryUrl: (port: number) => string;
  /** The same with the flipper's rights: for its stops, and for the bus where that is PostgreSQL. */
  readonly stopsUrl: (port: number) => string;
  /** Null where PostgreSQL is the bus. */
  readonly kafka: ExecutorsKafka | null;
  /** Called with each process started, for the guardian. */
  readonly onSpawned: (pid: number) => void;
  /** Makes the proxies of the planes; a test hands in one that does nothing, to see that its faults are missed. */
  readonly startProxy: typeof startProxy;
}

interface Member {
  /** Our own; `alerts` is null where a door of Kafka's takes its place. */
  readonly own: { readonly registry: Proxy; readonly control: Proxy; readonly alerts: Proxy | null };
  /** Where faults act on its bus; null at brokers that are not ours. */
  readonly alerts: Proxy | null;
  /** How it reaches its bus. */
  readonly bus: Readonly<Record<string, string>>;
  process: ExecutorProcess | null;
}

/** The executors under drill: one command, started once an executor, each behind proxies of its own. */
export class Executors {
  readonly #options: ExecutorsOptions;
  readonly #members = new Map<string, Member>();

  constructor(options: ExecutorsOptions) {
    this.#options = options;
  }

  /**
   * Starts all executors at once and waits until each has said `ready`: it knows its store, and reads its bus.
   *
   * @throws KilldrillError `FLEET_NOT_READY` as `untilReady`; `KAFKA_DOORS`
   */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.executors.map((executor) => this.#admit(executor)));
    await Promise.all(this.#options.executors.map((executor) => this.spawn(executor)));
    await untilReady(this.processes(), { all: "the fleet's executors", one: 'executor' }, signal);
  }

  processes(): readonly ExecutorProcess[] {
    return [...this.#members.values()].flatMap(({ process: one }) => (one === null ? [] : [one]));
  }

  /** Starts a new life of an executor; whether it gets ready is for the caller to see. */
  spawn(executor: string): Promise<ExecutorProcess> {
    const member = this.#member(executor);
    const { command, environment, cwd, history, registryUrl, stopsUrl, onSpawned } = this.#options;
    const started = new ExecutorProcess({
      executor,
      command,
      cwd,
      history,
      environment: {
        ...environment,
        ...member.bus,
        KILLDRILL_EXECUTOR: executor,
        KILLDRILL_REGISTRY_URL: registryUrl(member.own.registry.port),
        KILLDRILL_STOPS_URL: stopsUrl(member.own.control.port),
      },
    });
    member.process = started;
    if (started.pid > 0) onSpawned(started.pid);
    return Promise.resolve(started);
  }

  /** The living process of an executor. @throws KilldrillError `EXECUTOR_GONE` */
  process(executor: string): ExecutorProcess {
    const { process: one } = this.#member(executor);
    if (one !== null && !one.hasExited) return one;
    throw new KilldrillError('EXECUTOR_GONE', `${executor} is not running, so nothing can be done to it`);
  }

  /** @throws KilldrillError `PLANE_OUT_OF_REACH` for the alerts of brokers that are not ours */
  proxy(executor: string, plane: ExecutorPlane): Proxy {
    const { own, alerts } = this.#member(executor);
    if (plane !== 'alerts') return own[plane];
    if (alerts !== null) return alerts;
    const message = `the alerts plane of ${executor} cannot be hit: Kafka's own brokers tell clients where to connect to, past any proxy; take the fault out, or choose --environment local or containers`;
    throw new KilldrillError('PLANE_OUT_OF_REACH', message);
  }

  /** SIGTERM to all, a wait of at most `byeMs`, SIGKILL to the rest; names those that had to be forced. */
  stop(byeMs: number): Promise<readonly string[]> {
    return endProcesses(this.processes(), byeMs);
  }

  /** Closes the proxies; the doors are the broker's. */
  async close(): Promise<void> {
    const proxies = [...this.#members.values()].flatMap(({ own }): readonly (Proxy | null)[] => Object.values(own));
    await Promise.all(proxies.filter((proxy) => proxy !== null).map((proxy) => proxy.close()));
  }

  async #admit(executor: string): Promise<void> {
    const { postgres: target, startProxy: start, kafka, stopsUrl } = this.#options;
    const door = kafka === null ? null : doorOf(kafka, executor);
    const [registry, control] = await Promise.all([start({ target }), start({ target })]);
    if (door !== null) {
      this.#members.set(executor, { own: { registry, control, alerts: null }, ...door, process: null });
      return;
    }
    const alerts = await start({ target });
    const bus = { KILLDRILL_ALERTS_URL: stopsUrl(alerts.port) };
    this.#members.set(executor, { own: { registry, control, alerts }, alerts, bus, process: null });
  }

  #member(executor: string): Member {
    const member = this.#members.get(executor);
    if (member !== undefined) return member;
    const known = [...this.#members.keys()].join(', ') || 'none';
    throw new KilldrillError('EXECUTOR_UNKNOWN', `there is no executor '${executor}'; the fleet has ${known}`);
  }
}

function doorOf({ server, topics }: ExecutorsKafka, executor: string): Pick<Member, 'alerts' | 'bus'> {
  const { brokers, proxy } = server.door(executor);
  const bus = {
    KILLDRILL_KAFKA_BROKERS: brokers,
    KILLDRILL_ALERTS_TOPIC: topics.alerts,
    KILLDRILL_DEAD_LETTERS_TOPIC: topics.deadLetters,
    KILLDRILL_ALERTS_GROUP: topics.group,
  };
  return { alerts: proxy, bus };
}
