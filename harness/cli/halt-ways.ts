import { randomUUID, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { haltAlert, haltByAlert } from '../../src/alerts/halt-by-alert.ts';
import type { HaltAlert, HaltWish } from '../../src/alerts/halt-by-alert.ts';
import type { AlertPublisher } from '../../src/alerts/alert-bus.ts';
import { systemClock } from '../../src/clock.ts';
import { haltByApi } from '../../src/control/halt-by-api.ts';
import { haltByStateFile } from '../../src/control/halt-by-state-file.ts';
import { haltByStore } from '../../src/control/halt-by-store.ts';
import type { HaltPath } from '../../src/control/halt-paths.ts';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { readOrdinaryFile } from '../../src/ordinary-file.ts';
import { openAlertPublisher } from '../../src/store/postgres/alert-bus.ts';
import { openFlipSource } from '../../src/store/postgres/flip-source.ts';
import { openFlipStore } from '../../src/store/postgres/flip-store.ts';
import type { StoreOptions } from '../../src/store/postgres/options.ts';
import { databaseUrl, namespaceOf } from './operator-connection.ts';
import type { StoreFlags } from './operator-connection.ts';
import { kafkaSecurity } from './kafka-security.ts';
import { usage } from './usage.ts';

/** Shorter than other commands' are: the next way waits. */
const STORE_TIMINGS = { connectMs: 3_000, statementMs: 3_000, answerMs: 3_500 };

/** The ways to a fleet that this environment names. */
export interface HaltWays {
  readonly paths: readonly HaltPath[];
  /** Of the flip, on every path. */
  readonly flipId: string;
  close(): Promise<void>;
}

/** A key has some hundred bytes. */
const MAX_KEY_BYTES = 65_536;

type Closing = () => Promise<unknown>;

/**
 * Opens every way that is named. One that is named wrongly is a path that says so: it takes nothing from the others.
 *
 * @throws KilldrillError `USAGE` when none is named
 */
export async function openHaltWays(flags: StoreFlags, wish: HaltWish | null): Promise<HaltWays> {
  const closing: Closing[] = [];
  const namespace = namespaceOf(flags);
  const database = storeOptions(flags, namespace);
  const paths = [...apiPath(), ...storePath(database, closing), ...filePath()];
  const alert = wish === null ? null : alertOf(namespace, wish);
  if (alert !== null) paths.push(await alertPath(alert, database, closing));
  if (paths.length === 0) {
    throw usage(
      'no way to the fleet is named; set KILLDRILL_CONTROL_URL and KILLDRILL_STOP_KEY, or KILLDRILL_DATABASE_URL, or KILLDRILL_STATE_FILE, or give --database URL',
    );
  }
  const flipId = alert instanceof KilldrillError || alert === null ? randomUUID() : alert.flipId;
  return { paths, flipId, close: async () => void (await Promise.all(closing.map((close) => close()))) };
}

function storeOptions(flags: StoreFlags, namespace: string): StoreOptions | KilldrillError | null {
  if ((flags.database ?? process.env['KILLDRILL_DATABASE_URL'] ?? '') === '') return null;
  try {
    return { connectionString: databaseUrl(flags), namespace, timings: STORE_TIMINGS };
  } catch (thrown) {
    return unusable(thrown);
  }
}

function apiPath(): readonly HaltPath[] {
  const name = 'api';
  const url = process.env['KILLDRILL_CONTROL_URL'] ?? '';
  const stopKey = process.env['KILLDRILL_STOP_KEY'] ?? '';
  if (url === '') return [];
  if (stopKey === '') return [brokenPath(name, unusable('KILLDRILL_STOP_KEY is not set; the API wants a key'))];
  try {
    return [haltByApi({ name, url, stopKey })];
  } catch (thrown) {
    return [brokenPath(name, unusable(thrown))];
  }
}

function storePath(database: StoreOptions | KilldrillError | null, closing: Closing[]): readonly HaltPath[] {
  const name = 'postgresql';
  if (database === null) return [];
  if (database instanceof KilldrillError) return [brokenPath(name, database)];
  const store = openFlipStore(database);
  closing.push(() => store.close());
  return [haltByStore(name, store)];
}

function filePath(): readonly HaltPath[] {
  const path = process.env['KILLDRILL_STATE_FILE'] ?? '';
  return path === '' ? [] : [haltByStateFile('state file', path)];
}

/** Null where the operator has no key of a detector. */
function alertOf(namespace: string, wish: HaltWish): HaltAlert | KilldrillError | null {
  const detector = process.env['KILLDRILL_DETECTOR'] ?? '';
  const keyFile = process.env['KILLDRILL_DETECTOR_KEY'] ?? '';
  if (detector === '' && keyFile === '') return null;
  if (detector === '' || keyFile === '') {
    return unusable('KILLDRILL_DETECTOR and KILLDRILL_DETECTOR_KEY go together, and one of them is not set');
  }
  try {
    const nowMs = systemClock.wallMs();
    return haltAlert({ namespace, detector, privateKey: readKey(keyFile), newId: randomUUID, nowMs }, wish);
  } catch (thrown) {
    return unusable(thrown);
  }
}

function readKey(file: string): KeyObject {
  let text: string;
  try {
    text = readOrdinaryFile(file, MAX_KEY_BYTES);
  } catch (thrown) {
    throw unusable(`the key file ${file} cannot be read (${messageOf(thrown)})`);
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    // What OpenSSL says of a key may not be repeated.
    throw unusable(`the key file ${file} cannot be read (it holds no private key in PEM)`);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new KilldrillError(
    'PATH_UNUSABLE',
    `${file} holds a key of type ${String(key.asymmetricKeyType)}, expected ed25519`,
  );
}

async function alertPath(
  alert: HaltAlert | KilldrillError,
  database: StoreOptions | KilldrillError | null,
  closing: Closing[],
): Promise<HaltPath> {
  const name = 'alert bus';
  if (alert instanceof KilldrillError) return brokenPath(name, alert);
  const reachable = database instanceof KilldrillError ? null : database;
  try {
    const { bus, publisher } = await openBus(reachable, closing);
    const storedAt = reachable === null ? () => Promise.resolve(null) : storedIn(reachable, closing);
    return haltByAlert({ name, bus, publisher, alert, clock: systemClock, storedAt });
  } catch (thrown) {
    return brokenPath(name, unusable(thrown));
  }
}

async function openBus(
  database: StoreOptions | null,
  closing: Closing[],
): Promise<{ readonly bus: string; readonly publisher: AlertPublisher }> {
  const brokers = (process.env['KILLDRILL_KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '');
  const topic = process.env['KILLDRILL_ALERTS_TOPIC'] ?? 'killdrill.alerts';
  if (brokers.length > 0) {
    // Only for those who have it: a stop is not to wait for a client that it does not use.
    const { KafkaBus } = await import('../../src/alerts/kafka-bus.ts');
    const publisher = new KafkaBus({ brokers, ...kafkaSecurity(), topic, newId: randomUUID, member: 'halt' });
    closing.push(() => publisher.close());
    return { bus: `${topic} of Kafka`, publisher };
  }
  if (database === null) throw unusable('neither KILLDRILL_KAFKA_BROKERS nor a database is named');
  const publisher = openAlertPublisher({ ...database, topic });
  closing.push(() => publisher.close());
  return { bus: `${topic} of PostgreSQL`, publisher };
}

function storedIn(database: StoreOptions, closing: Closing[]): (flipId: string) => Promise<number | null> {
  const source = openFlipSource(database);
  closing.push(() => source.close());
  return async (flipId) => {
    const { open } = await source.load();
    return open.find(({ text }) => (JSON.parse(text) as { readonly id: string }).id === flipId)?.revision ?? null;
  };
}

function unusable(thrown: unknown): KilldrillError {
  return new KilldrillError('PATH_UNUSABLE', messageOf(thrown).replace(/; see 'killdrill help'$/, ''));
}

function brokenPath(name: string, error: KilldrillError): HaltPath {
  return { name, take: () => Promise.reject(error) };
}
