import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { DeadLetter } from '../../../../src/alerts/alert-bus.ts';
import { openAlertBus, openAlertPublisher } from '../../../../src/store/postgres/alert-bus.ts';
import { describeBusContract } from '../../alerts/alert-bus-contract.ts';
import { PATIENT, prepareDatabase } from './prepared-database.ts';

const NAMESPACE = 'prepared';

interface LetterRow {
  readonly source_topic: string;
  readonly partition: number;
  readonly position: string;
  readonly published_ms: string;
  readonly code: string;
  readonly why: string;
  readonly body: Buffer;
  readonly signature: string | null;
}

async function keptLetters(owner: pg.Client, topic: string): Promise<readonly DeadLetter[]> {
  const { rows } = await owner.query<LetterRow>(
    'select * from killdrill.alert_dead_letter where namespace = $1 and source_topic = $2 and topic = $3',
    [NAMESPACE, topic, `${topic}.dead`],
  );
  return rows.map(({ source_topic, partition, position, published_ms, code, why, body, signature }) => {
    const where = { topic: source_topic, partition, position: Number(position), publishedAtMs: Number(published_ms) };
    return { code, why, message: { ...where, bytes: body, signature } };
  });
}

describeBusContract('PostgreSQL', { partitions: 1, waitMs: 20_000 }, async () => {
  const database = await prepareDatabase();
  const owner = await database.connect(database.ownerUrl);
  /** Ends the server's side of the bus's connections whose application name begins so. */
  const end = (...names: readonly string[]) =>
    owner.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and application_name like any ($1)`,
      [names.map((name) => `${name}%`)],
    );
  return {
    openTopic: async () => {
      const topic = `alerts-${randomUUID()}`;
      const common = { namespace: NAMESPACE, topic, timings: PATIENT };
      const publisher = openAlertPublisher({ ...common, connectionString: database.workerUrl });
      return {
        topic,
        publisher,
        open: async () => {
          // What a connection string says counts for more than the session's own name.
          const name = `process-${randomUUID()}`;
          const bus = openAlertBus({
            ...common,
            connectionString: `${database.flipperUrl}&application_name=${name}`,
            pollMs: 20,
          });
          const close = () => bus.close();
          return { bus, kill: async () => void (await Promise.all([end(name), close()])), close };
        },
        deadLetters: () => keptLetters(owner, topic),
        forget: async (_, earliest) =>
          void (await owner.query('select killdrill.forget_alerts($1, $2, $3)', [NAMESPACE, topic, earliest])),
        restart: async () => void (await end('process-', 'killdrill ')),
        close: () => publisher.close(),
      };
    },
    close: () => database.close(),
  };
});
