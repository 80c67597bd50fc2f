import { rm } from 'node:fs/promises';
import type { Environment } from './environment.ts';
import { findKafkaHome } from './kafka-home.ts';
import { newClusterId } from './kafka-process.ts';
import { startLocalKafka } from './local-kafka.ts';
import { startOwnPostgres } from './own-postgres.ts';
import type { OwnPostgresOptions } from './own-postgres.ts';

/**
 * The environment of a machine with Java and an unpacked Apache Kafka: a broker and a PostgreSQL server of its own, in the
 * drill's folder.
 *
 * @throws KilldrillError `KAFKA_HOME_MISSING`, `JAVA_MISSING`, and as `startLocalKafka` and `startEmbeddedPostgres`.
 */
export async function startLocal(options: OwnPostgresOptions): Promise<Environment> {
  const { folder, guardian } = options;
  const home = await findKafkaHome(process.env);
  const postgres = await startOwnPostgres(options);
  try {
    const clusterId = newClusterId();
    const kafka = await startLocalKafka({ home, folder, clusterId, onStarted: (pid) => guardian.watch(pid) });
    return {
      name: 'local',
      facts: {
        environment: 'local (embedded PostgreSQL, and Apache Kafka from KAFKA_HOME)',
        postgres: postgres.fact,
        'alert bus': `Apache Kafka ${home.version}, KRaft, one node, on Java ${home.java}`,
      },
      postgres: postgres.server,
      kafka,
      createDatabase: (name) => postgres.createDatabase(name),
      close: async () => {
        await kafka.close();
        const parts = ['kafka', 'kafka-logs', 'kafka.log', 'kafka.properties'].map((part) => `${folder}/${part}`);
        await Promise.all(parts.map((path) => rm(path, { recursive: true, force: true })));
        await postgres.close();
      },
    };
  } catch (error) {
    await postgres.close();
    throw error;
  }
}
