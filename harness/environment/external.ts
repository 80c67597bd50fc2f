import { basename } from 'node:path';
import type pg from 'pg';
import { z } from 'zod';
import { KilldrillError } from '../../src/errors.ts';
import { openKafkaAdmin } from '../../src/alerts/kafka-topics.ts';
import { harnessMark, isAtWork } from './docker-engine.ts';
import { createDrillDatabase, dropDrillDatabase, withClient } from './drill-database.ts';
import { createDrillTopics } from './drill-topics.ts';
import type { DrillDatabase, Environment, FaultyServer, KafkaServer } from './environment.ts';
import { readExternalSettings } from './external-settings.ts';
import type { ExternalSettings } from './external-settings.ts';

/** Kept with each database of a drill, as its comment: whose it is, and whether the group roles came with it. */
const noteSchema = z.object({ killdrill: z.literal(1), harness: z.string(), madeRoles: z.boolean() });
const GROUP_ROLES = ['killdrill_worker', 'killdrill_flipper'] as const;
/** What the names of a run's databases and topics begin with: `kd_`, a piece of the folder's name, and `_`. */
const DATABASE_PATTERN = String.raw`^kd\_[0-9a-f]{12}\_`;

/**
 * The environment of servers that the user runs: databases and topics of the run's own, removed afterwards. It starts and
 * stops no server, so faults of PostgreSQL and Kafka themselves cannot be had here.
 *
 * @throws KilldrillError `EXTERNAL_SETTINGS`, `EXTERNAL_HOST`, `EXTERNAL_RIGHTS`, `DATABASE_NOT_MADE`, `KAFKA_FAILED`
 */
export async function startExternal({ folder }: { readonly folder: string }): Promise<Environment> {
  const settings = readExternalSettings(process.env);
  const prefix = `kd_${basename(folder).replace('kd-', '').slice(0, 12)}_`;
  const version = await withClient(settings, settings.superuser, 'postgres', askVersion);
  const kafka = settings.brokers.length === 0 ? null : await reachKafka(settings.brokers, prefix);
  const { host, port, brokers } = settings;
  return {
    name: 'external',
    facts: {
      environment: 'external (servers of the user, with databases and topics of the run)',
      postgres: `PostgreSQL ${version} at ${host}:${port}`,
      'alert bus':
        kafka === null
          ? 'PostgreSQL (the alert path is not Kafka)'
          : `Kafka at ${brokers.join(', ')}, ${kafka.count} brokers`,
    },
    postgres: { target: { host, port }, ...notOurs('PostgreSQL') },
    kafka: kafka?.server ?? null,
    createDatabase: (drill) => createDatabase(settings, prefix, drill),
    close: () => Promise.resolve(kafka?.close()),
  };
}

/** What a killed harness left on these servers, and is nobody's any more. */
export async function recoverExternal(settings: ExternalSettings): Promise<readonly string[]> {
  const found = await withClient(settings, settings.superuser, 'postgres', async (client) => {
    const sql = `select datname, shobj_description(oid, 'pg_database') as note from pg_database where datname ~ $1`;
    const { rows } = await client.query<{ datname: string; note: string | null }>(sql, [DATABASE_PATTERN]);
    return rows.map(({ datname, note }) => ({ name: datname, note: readNote(note) }));
  });
  const removed: string[] = [];
  for (const { name, note } of found) {
    if (note === null || isAtWork(note.harness) !== 'no') continue;
    await removeTopics(settings.brokers, name);
    await dropDatabase(settings, name, note.madeRoles);
    removed.push(`database ${name} at ${settings.host}:${settings.port}`);
  }
  return removed;
}

async function askVersion(client: pg.Client): Promise<string> {
  const sql = `select current_setting('server_version') as version, rolsuper as super, current_user::text as who
    from pg_roles where rolname = current_user`;
  const { rows } = await client.query<{ version: string; super: boolean; who: string }>(sql);
  const [row] = rows;
  if (row?.super === true) return row.version;
  const message = `the user ${row?.who} of KILLDRILL_DRILL_DATABASE_URL is no superuser; a drill makes databases and roles and ends backends: name a superuser of a server that is there for drills`;
  throw new KilldrillError('EXTERNAL_RIGHTS', message);
}

async function createDatabase(settings: ExternalSettings, prefix: string, drill: string): Promise<DrillDatabase> {
  const madeRoles = await withClient(settings, settings.superuser, 'postgres', makeGroupRoles);
  const comment = JSON.stringify({ killdrill: 1, harness: harnessMark(process.pid), madeRoles });
  const database = await createDrillDatabase(settings, drill, { prefix, comment });
  return { ...database, drop: () => dropDatabase(settings, database.name, madeRoles) };
}

/** As the superuser, not by the migration: the database's owner would be bound to them, and stay behind. */
async function makeGroupRoles(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles where rolname = any($1)', [
    GROUP_ROLES,
  ]);
  if (rows.length === GROUP_ROLES.length) return false;
  const there = new Set(rows.map(({ rolname }) => rolname));
  for (const role of GROUP_ROLES) if (!there.has(role)) await client.query(`create role ${role} nologin`);
  await client.query('grant pg_signal_backend to killdrill_flipper');
  return true;
}

async function dropDatabase(settings: ExternalSettings, name: string, madeRoles: boolean): Promise<void> {
  await dropDrillDatabase(settings, name);
  if (!madeRoles) return;
  await withClient(settings, settings.superuser, 'postgres', async (client) => {
    // refused while another database uses them: then they are that one's
    for (const role of GROUP_ROLES) await client.query(`drop role if exists ${role}`).catch(() => undefined);
  });
}

async function reachKafka(brokers: readonly string[], prefix: string) {
  const admin = openKafkaAdmin({ brokers });
  try {
    const count = await admin.brokerCount();
    const server: KafkaServer = {
      ...notOurs('Kafka'),
      door: () => ({ brokers: brokers.join(), proxy: null }),
      createTopics: (drill) => createDrillTopics(admin, `${prefix}${drill}`),
    };
    return { server, count, close: () => admin.close() };
  } catch (error) {
    admin.close();
    throw error;
  }
}

async function removeTopics(brokers: readonly string[], drill: string): Promise<void> {
  if (brokers.length === 0) return;
  const admin = openKafkaAdmin({ brokers });
  try {
    const topics = await admin.topics();
    await admin.remove(
      topics.filter((topic) => topic.startsWith(`${drill}.`)),
      `${drill}.`,
    );
  } finally {
    admin.close();
  }
}

function readNote(text: string | null): z.infer<typeof noteSchema> | null {
  try {
    return noteSchema.parse(JSON.parse(text ?? 'null'));
  } catch {
    return null;
  }
}

function notOurs(what: string): FaultyServer {
  const refuse = (): Promise<never> => {
    const message = `${what} of the environment external is the user's: a drill does not stop, kill or start it; use containers, local or embedded for that`;
    return Promise.reject(new KilldrillError('SERVER_NOT_OURS', message));
  };
  return { kill: refuse, pause: refuse, resume: refuse, stop: refuse, start: refuse };
}
