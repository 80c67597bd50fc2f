import type { Admin, ITopicConfig } from 'kafkajs';
import { systemClock } from '../clock.ts';
import { Kept, openKafka } from './kafka-client.ts';
import { deleteLeftGroups } from './kafka-groups.ts';
import { KAFKA_TIMINGS } from './kafka-options.ts';
import type { KafkaCluster } from './kafka-options.ts';

/** Partitions of alerts unless told otherwise: alerts of one target keep their order within one. */
const DEFAULT_PARTITIONS = 8;
/** A dead letter is its alert and a few headers: larger than the largest alert that a broker takes by default. */
const DEAD_LETTER_BYTES = 2 * 1_024 * 1_024;
const RETRIES = 3;
/** A new topic has its leaders within milliseconds; a busy broker takes longer. */
const LEADER_LOOKS = 100;
const LEADER_LOOK_MS = 30;

export interface AlertTopics {
  readonly topic: string;
  readonly deadTopic: string;
  /** Default 8. */
  readonly partitions?: number;
}

/** What an administrator of a cluster may do here. Each call is bounded, and rejects with `KAFKA_FAILED`. */
export interface KafkaAdmin {
  /** How many brokers answer for the cluster. */
  brokerCount(): Promise<number>;
  topics(): Promise<readonly string[]>;
  /** Makes those that are not there yet: with the broker's time in each message, and without compression, since a client in another language may use one that our reader lacks. */
  createTopics(topics: AlertTopics): Promise<void>;
  /**
   * Removes topics, and the consumer groups whose names begin with this. Answers how many groups are left: one whose member was
   * killed is in use until its session is over.
   */
  remove(topics: readonly string[], groupsBeginWith: string): Promise<number>;
  close(): void;
}

/** Opens a connection to administer a cluster with; nothing is sent until it is asked for something. */
export function openKafkaAdmin(cluster: KafkaCluster): KafkaAdmin {
  const kept = new Kept<Admin>({
    clock: systemClock,
    callMs: 2 * KAFKA_TIMINGS.callMs,
    brokers: cluster.brokers,
    open: () => openKafka(cluster, KAFKA_TIMINGS, RETRIES),
    connect: async (kafka) => {
      const admin = kafka.admin();
      await admin.connect();
      return admin;
    },
  });
  return {
    brokerCount: () =>
      kept.use('asking for the brokers', async (admin) => (await admin.describeCluster()).brokers.length),
    topics: () => kept.use('listing topics', (admin) => admin.listTopics()),
    createTopics: (topics) => kept.use('making topics', (admin) => createTopics(admin, topics)),
    remove: (topics, groupsBeginWith) => kept.use('removing topics', (admin) => remove(admin, topics, groupsBeginWith)),
    close: () => kept.close(),
  };
}

async function createTopics(admin: Admin, { topic, deadTopic, partitions }: AlertTopics): Promise<void> {
  const common = { 'message.timestamp.type': 'LogAppendTime', 'compression.type': 'uncompressed' };
  const configOf = (name: string, numPartitions: number, entries: Readonly<Record<string, string>>): ITopicConfig => ({
    topic: name,
    numPartitions,
    configEntries: Object.entries({ ...common, ...entries }).map(([key, value]) => ({ name: key, value })),
  });
  await admin.createTopics({
    waitForLeaders: false,
    topics: [
      configOf(topic, partitions ?? DEFAULT_PARTITIONS, {}),
      configOf(deadTopic, 1, { 'max.message.bytes': String(DEAD_LETTER_BYTES) }),
    ],
  });
  // a leader that everybody knows of may not know it yet, and would refuse the first alert
  for (const name of [topic, deadTopic]) await untilLed(admin, name);
}

async function untilLed(admin: Admin, topic: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (attempt === LEADER_LOOKS) throw error;
      await new Promise<void>((resolve) => void systemClock.after(LEADER_LOOK_MS, resolve));
    }
  }
}

async function remove(admin: Admin, topics: readonly string[], groupsBeginWith: string): Promise<number> {
  const there = new Set(await admin.listTopics());
  const left = topics.filter((topic) => there.has(topic));
  if (left.length > 0) await admin.deleteTopics({ topics: left });
  return deleteLeftGroups(admin, (id) => id.startsWith(groupsBeginWith));
}
