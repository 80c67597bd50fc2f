import type { Listener } from './kafka-doors.ts';

/** Settings of one broker by name, as in `server.properties`. */
export type KafkaProperties = Readonly<Record<string, string | number>>;

export interface KafkaLayout {
  /** The address that the broker binds. */
  readonly bindHost: string;
  readonly listeners: readonly (Listener & { readonly port: number })[];
  readonly controllerPort: number;
  /** Where the broker talks to itself. */
  readonly internalPort: number;
}

/** For one node under test on two cores: one partition of everything internal, no wait for a group's first members. */
const SMALL: KafkaProperties = {
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'INTERNAL',
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'group.initial.rebalance.delay.ms': 0,
  // a killed broker comes back under its own number only once its last life is over for the controller
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500,
  'auto.create.topics.enable': 'false',
  'num.network.threads': 1,
  'num.io.threads': 4,
  'background.threads': 2,
  'log.cleaner.dedupe.buffer.size': 4_194_304,
  'log.retention.hours': -1,
};

/** Everything that a broker of this layout is told. */
export function kafkaProperties({ bindHost, listeners, controllerPort, internalPort }: KafkaLayout): KafkaProperties {
  const all = [...listeners.map(({ name }) => name), 'INTERNAL', 'CONTROLLER'];
  const bound = listeners.map(({ name, port }) => `${name}://${bindHost}:${port}`);
  const advertised = listeners.map(({ name, advertisedPort }) => `${name}://127.0.0.1:${advertisedPort}`);
  return {
    ...SMALL,
    listeners: [...bound, `INTERNAL://127.0.0.1:${internalPort}`, `CONTROLLER://127.0.0.1:${controllerPort}`].join(),
    'advertised.listeners': [...advertised, `INTERNAL://127.0.0.1:${internalPort}`].join(),
    'listener.security.protocol.map': all.map((name) => `${name}:PLAINTEXT`).join(),
  };
}
