import pg from 'pg';
import type { WorkerStore } from '../../runtime.ts';
import { openFence } from './fence.ts';
import { openFlipSource } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { openOutcomeSink } from './outcome-sink.ts';
import { assertSchemaVersion } from './schema-version.ts';
import { storeError } from './store-error.ts';
import { openTaskQueue } from './task-queue.ts';
import { openWorkerReports } from './worker-reports.ts';

export interface WorkerStoreOptions extends Omit<StoreOptions, 'connectionString'> {
  /** The registry plane: flips. */
  readonly registryUrl: string;
  /** The work plane: intents, outcomes and tasks. */
  readonly databaseUrl: string;
}

/**
 * The PostgreSQL store as one worker holds it: five connections, so that no plane waits for another.
 *
 * @throws KilldrillError `SCHEMA_VERSION` when the database is of another version, `STORE_UNREACHABLE` when nobody answers.
 */
export async function connectWorkerStore(options: WorkerStoreOptions): Promise<WorkerStore> {
  const { registryUrl, databaseUrl, ...common } = options;
  await checkVersion({ ...common, connectionString: databaseUrl });
  const source = openFlipSource({ ...common, connectionString: registryUrl });
  const work = { ...common, connectionString: databaseUrl };
  const fence = openFence(work);
  const outcomes = openOutcomeSink(work);
  const tasks = openTaskQueue(work);
  const reports = openWorkerReports({ ...common, connectionString: registryUrl });
  const opened = [source, fence, outcomes, tasks, reports];
  return {
    source,
    fence,
    outcomes,
    tasks,
    reports,
    close: async () => void (await Promise.all(opened.map((one) => one.close()))),
  };
}

async function checkVersion(options: StoreOptions): Promise<void> {
  const { connectionString, schema, timings } = resolveStoreOptions(options);
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: timings.connectMs,
    query_timeout: timings.answerMs,
  });
  client.on('error', () => undefined); // the rejection of what is under way tells
  try {
    await client.connect();
    await assertSchemaVersion(client, { schema });
  } catch (thrown) {
    throw storeError('schema_version', thrown);
  } finally {
    await client.end().catch(() => undefined);
  }
}
