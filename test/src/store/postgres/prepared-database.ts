import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openAuditStore } from '../../../../src/store/postgres/audit-store.ts';
import { openCanaryTurns } from '../../../../src/store/postgres/canary-turns.ts';
import { openEffectivenessStore } from '../../../../src/store/postgres/effectiveness-store.ts';
import { openFence } from '../../../../src/store/postgres/fence.ts';
import { openFlipSource } from '../../../../src/store/postgres/flip-source.ts';
import { openFlipStore } from '../../../../src/store/postgres/flip-store.ts';
import { migrate } from '../../../../src/store/postgres/migrate.ts';
import { openOperatorStore } from '../../../../src/store/postgres/operator-store.ts';
import type { StoreTimings } from '../../../../src/store/postgres/options.ts';
import { openOutcomeSink } from '../../../../src/store/postgres/outcome-sink.ts';
import { openTaskQueue } from '../../../../src/store/postgres/task-queue.ts';
import { openWorkerReports } from '../../../../src/store/postgres/worker-reports.ts';
import { createTestDatabase } from '../../../support/database.ts';
import type { StoreHandles } from '../contract/world.ts';

/** A migrated database with a login of each role; its owner is the superuser. */
export interface PreparedDatabase {
  readonly ownerUrl: string;
  readonly workerUrl: string;
  readonly flipperUrl: string;
  addNamespace(namespace: string): Promise<void>;
  /** What one process holds, each port with the role that it has in a fleet. */
  open(namespace: string, timings?: Partial<StoreTimings>): StoreHandles;
  /** A connection of a test's own, to hold transactions open with; ended with the database. */
  connect(url: string): Promise<pg.Client>;
  close(): Promise<void>;
}

/** Generous, since the machine that runs the tests is shared; what a test is about it sets itself. */
export const PATIENT: Partial<StoreTimings> = {
  connectMs: 10_000,
  statementMs: 10_000,
  answerMs: 12_000,
  minimumAgeMs: 0,
};

export async function prepareDatabase(): Promise<PreparedDatabase> {
  const database = await createTestDatabase();
  const clients: pg.Client[] = [];
  const connect = async (url: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 20_000 });
    client.on('error', () => undefined); // some tests have them terminated
    await client.connect();
    clients.push(client);
    return client;
  };
  const owner = await connect(database.superuserUrl);
  await migrate(owner, { namespace: 'prepared' });
  const [worker, flipper] = [await makeLogin(owner, 'killdrill_worker'), await makeLogin(owner, 'killdrill_flipper')];
  const urlOf = ({ user, password }: Login) => database.urlFor(user, password);
  return {
    ownerUrl: database.superuserUrl,
    workerUrl: urlOf(worker),
    flipperUrl: urlOf(flipper),
    addNamespace: async (namespace) => void (await migrate(owner, { namespace })),
    open: (namespace, timings) => openAll(urlOf(worker), urlOf(flipper), namespace, { ...PATIENT, ...timings }),
    connect,
    close: async () => {
      for (const login of [worker, flipper]) await owner.query(`drop role ${login.user}`);
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      await database.drop();
    },
  };
}

interface Login {
  readonly user: string;
  readonly password: string;
}

/** Logins belong to the whole server, so that their names are random. */
async function makeLogin(owner: pg.Client, group: string): Promise<Login> {
  const login = { user: `test_${randomBytes(8).toString('hex')}`, password: randomBytes(8).toString('hex') };
  await owner.query(`create role ${login.user} login password '${login.password}' in role ${group}`);
  return login;
}

function openAll(
  workerUrl: string,
  flipperUrl: string,
  namespace: string,
  timings: Partial<StoreTimings>,
): StoreHandles {
  const asWorker = { connectionString: workerUrl, namespace, timings };
  const flips = openFlipSource(asWorker);
  const fence = openFence(asWorker);
  const outcomes = openOutcomeSink(asWorker);
  const tasks = openTaskQueue(asWorker);
  const asFlipper = { connectionString: flipperUrl, namespace, timings };
  const control = openFlipStore(asFlipper);
  const operator = openOperatorStore(asFlipper);
  const audit = openAuditStore(asFlipper);
  const effectiveness = openEffectivenessStore(asFlipper);
  const canaries = openCanaryTurns(asFlipper);
  const reports = openWorkerReports(asWorker);
  const ports = [flips, fence, outcomes, tasks, control, operator, audit, reports, effectiveness, canaries];
  return {
    flips,
    fence,
    outcomes,
    tasks,
    control,
    operator,
    audit,
    reports,
    effectiveness,
    canaries,
    close: async () => void (await Promise.all(ports.map((port) => port.close()))),
  };
}
