import { openKafkaAdmin } from '../../src/alerts/kafka-topics.ts';
import { ContainerServer, startForDrill } from './container-server.ts';
import type { ContainerOptions } from './container-server.ts';
import { createDrillTopics } from './drill-topics.ts';
import type { KafkaServer } from './environment.ts';
import { KafkaDoors } from './kafka-doors.ts';
import { newClusterId } from './kafka-process.ts';
import { kafkaProperties } from './kafka-properties.ts';

/** Ports within the container; a listener each from the first on. */
const FIRST_PORT = 19_100;
const CONTROLLER_PORT = 19_093;
const INTERNAL_PORT = 19_092;

/** A Kafka broker in a container of an image that keeps the contract of Confluent's. */
export async function startContainerKafka(
  options: ContainerOptions,
): Promise<KafkaServer & { close(): Promise<void> }> {
  const { engine, image, name, labels } = options;
  let portOf = (_: number): number | null => null;
  const doors = await KafkaDoors.open((at) => portOf(FIRST_PORT + at));
  const listeners = doors.listeners.map((listener, at) => ({ ...listener, port: FIRST_PORT + at }));
  const properties = {
    ...kafkaProperties({
      bindHost: '0.0.0.0',
      listeners,
      controllerPort: CONTROLLER_PORT,
      internalPort: INTERNAL_PORT,
    }),
    'controller.quorum.voters': `1@127.0.0.1:${CONTROLLER_PORT}`,
    'log.dirs': '/var/lib/kafka/data',
  };
  const admin = openKafkaAdmin({ brokers: [doors.own] });
  const spec = {
    ...{ image, name, labels },
    environment: {
      ...asVariables(properties),
      CLUSTER_ID: newClusterId(),
      KAFKA_HEAP_OPTS: '-Xms192m -Xmx384m',
    },
    ports: listeners.map(({ port }) => port),
  };
  const server = new ContainerServer(engine, spec, async () => void (await admin.brokerCount()));
  portOf = (port) => server.hostPort(port);
  const close = async (): Promise<void> => {
    admin.close();
    await server.close();
    await doors.close();
  };
  const started = await startForDrill(server, close);
  return {
    ...started,
    door: (client) => doors.door(client),
    createTopics: (drill) => createDrillTopics(admin, `killdrill.${drill}`),
  };
}

/** As the image wants its settings: `a.b` is KAFKA_A_B. */
function asVariables(properties: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      `KAFKA_${name.replaceAll('.', '_').toUpperCase()}`,
      String(value),
    ]),
  );
}
