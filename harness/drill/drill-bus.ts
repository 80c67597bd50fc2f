import { createHash, randomUUID } from 'node:crypto';
import type { AlertBus, AlertPublisher, BusMember, PartitionReader } from '../../src/alerts/alert-bus.ts';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { KafkaBus } from '../../src/kafka.ts';
import { DEFAULT_TOPIC, openAlertPublisher } from '../../src/store/postgres/alert-bus.ts';
import { DEFAULT_SCHEMA } from '../../src/store/postgres/options.ts';
import type { Session } from '../../src/store/postgres/session.ts';
import type { DrillDatabase, DrillTopics, Environment, KafkaServer } from '../environment/environment.ts';
import { waitUntil } from '../environment/wait.ts';
import { storeUrl } from './store-address.ts';

export interface DeadLetterSeen {
  /** sha256 of the alert's bytes, hex. */
  readonly content: string;
  /** Why it is there; null where the bus keeps that beside the bytes. */
  readonly code: string | null;
  readonly why: string | null;
}

/** The alert bus of one drill, as the harness uses it: by its own way, under no fault. */
export interface DrillBus {
  readonly publisher: AlertPublisher;
  /** Null where PostgreSQL is the bus. */
  readonly topics: DrillTopics | null;
  deadLetters(): Promise<readonly DeadLetterSeen[]>;
  close(): Promise<void>;
}

/** The harness's own client among those of the broker. */
const CLIENT = 'detectors';
const READ_MS = 10_000;
const LOOK_MS = 20;

/** @throws what the bus throws at the making of the drill's topics */
export async function openDrillBus(
  environment: Environment,
  database: DrillDatabase,
  owner: Session,
): Promise<DrillBus> {
  const { kafka, postgres } = environment;
  if (kafka !== null) return openOnKafka(kafka, database.name);
  const connectionString = storeUrl(postgres.target, database.flipper, database.name);
  const publisher = openAlertPublisher({ connectionString, namespace: database.name, topic: DEFAULT_TOPIC });
  return {
    publisher,
    topics: null,
    deadLetters: () => lettersInStore(owner, database.name),
    close: () => publisher.close(),
  };
}

async function lettersInStore(owner: Session, namespace: string): Promise<readonly DeadLetterSeen[]> {
  const rows = await owner.use('dead letters', (ask) =>
    ask(
      `select encode(sha256(body), 'hex') as content, code, why from ${DEFAULT_SCHEMA}.alert_dead_letter
       where namespace = $1 order by at, partition, position`,
      [namespace],
    ),
  );
  return rows.map(({ content, code, why }) => ({ content: String(content), code: String(code), why: String(why) }));
}

async function openOnKafka(kafka: KafkaServer, name: string): Promise<DrillBus> {
  const topics = await kafka.createTopics(name);
  const { brokers } = kafka.door(CLIENT);
  const cluster = { brokers: brokers.split(','), newId: randomUUID };
  const publisher = new KafkaBus({
    ...cluster,
    topic: topics.alerts,
    deadTopic: topics.deadLetters,
    group: topics.group,
  });
  return {
    publisher,
    topics,
    deadLetters: async () => {
      const { deadLetters: topic, group } = topics;
      const bus = new KafkaBus({ ...cluster, topic, deadTopic: topics.alerts, group: `${group}.letters` });
      try {
        return await readWhole(bus);
      } finally {
        await bus.close();
      }
    },
    close: async () => {
      await publisher.close();
      await topics.drop();
    },
  };
}

/** Everything in the one partition that dead letters have. */
async function readWhole(bus: AlertBus): Promise<readonly DeadLetterSeen[]> {
  const { earliest, end } = await bus.range(0);
  const seen: DeadLetterSeen[] = [];
  let next = earliest;
  const lost: Error[] = [];
  const reader: PartitionReader = {
    position: earliest,
    deliver: (messages) => {
      for (const { position, bytes } of messages) {
        if (position < next) continue;
        seen.push({ content: createHash('sha256').update(bytes).digest('hex'), code: null, why: null });
        next = position + 1;
      }
      return Promise.resolve();
    },
    revoked: () => undefined,
  };
  if (end <= earliest) return [];
  const member: BusMember = {
    assigned: () => Promise.resolve(reader),
    alive: () => undefined,
    lost: (error) => void lost.push(error),
  };
  const session = await bus.join(member);
  try {
    await waitUntil(() => next >= end || lost.length > 0, { boundMs: READ_MS, everyMs: LOOK_MS });
  } finally {
    await session.close();
  }
  if (next >= end) return seen;
  const why = lost[0] === undefined ? `within ${READ_MS / 1_000} s` : messageOf(lost[0]);
  throw new KilldrillError(
    'JOURNAL_UNREADABLE',
    `the topic of dead letters was read to ${next} of ${end} only: ${why}`,
  );
}
