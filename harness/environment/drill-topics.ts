import type { KafkaAdmin } from '../../src/alerts/kafka-topics.ts';
import type { DrillTopics } from './environment.ts';
import { waitUntil } from './wait.ts';

/** A killed executor's group is in use until its session is over. */
const DROP_BOUND_MS = 10_000;
const DROP_LOOK_MS = 500;
/** As many as a cluster would have them; a drill has few targets. */
const PARTITIONS = 4;

/** Makes topics for one drill: `group.alerts` and its dead letters, and a prefix for its consumer groups. */
export async function createDrillTopics(admin: KafkaAdmin, group: string): Promise<DrillTopics> {
  const alerts = `${group}.alerts`;
  const deadLetters = `${alerts}.dead`;
  await admin.createTopics({ topic: alerts, deadTopic: deadLetters, partitions: PARTITIONS });
  const drop = async (): Promise<void> => {
    const look = async (): Promise<boolean> => (await admin.remove([alerts, deadLetters], `${group}.`)) === 0;
    await waitUntil(look, { boundMs: DROP_BOUND_MS, everyMs: DROP_LOOK_MS });
  };
  return { alerts, deadLetters, group, drop };
}
