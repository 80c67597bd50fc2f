import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { AlertSender } from '../../../src/alerts/alert-sender.ts';
import { KafkaBus } from '../../../src/alerts/kafka-bus.ts';
import { systemClock } from '../../../src/clock.ts';
import { keyEntry } from '../../../src/control/api/api-keys.ts';
import { parseFlip } from '../../../src/flip-text.ts';
import type { DrillTopics } from '../../../harness/environment/environment.ts';
import { startTestBroker } from '../../support/kafka-broker.ts';
import type { TestBroker } from '../../support/kafka-broker.ts';
import { plainKafka, readLetters, withAdmin } from '../../src/alerts/kafka-letters.ts';
import { askFor } from '../../src/control/api/api-rig.ts';
import { sampleIntent } from '../../src/store/samples.ts';
import { prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { startServe } from './served-process.ts';
import type { ServedProcess } from './served-process.ts';

const WAIT = { timeout: 60_000, interval: 30 };
const { kafka: why } = inject('infrastructure');

describe.skipIf(why !== null)(`killdrill serve over Kafka${why === null ? '' : ` (${why})`}`, () => {
  let database: PreparedDatabase;
  let broker: TestBroker;
  let address: string;
  let namespace: string;
  let topics: DrillTopics;
  let folder: string;
  let privateKey: KeyObject;
  let served: ServedProcess[];

  beforeAll(async () => {
    database = await prepareDatabase();
    broker = await startTestBroker();
    address = broker.kafka.door('serve').brokers;
    return async () => {
      await broker.close();
      await database.close();
    };
  });
  beforeEach(async () => {
    namespace = `ns-${randomUUID()}`;
    await database.addNamespace(namespace);
    topics = await broker.kafka.createTopics(`t${randomUUID()}`);
    folder = mkdtempSync(join(tmpdir(), 'killdrill-kafka-'));
    served = [];
    const pair = generateKeyPairSync('ed25519');
    ({ privateKey } = pair);
    const publicKey = pair.publicKey.export({ format: 'pem', type: 'spki' });
    const entry = { detector: 'writes', publicKey, widestScope: 'tenant', strictestMode: 'halt_all' };
    write('killdrill-keys.json', JSON.stringify([keyEntry('on-call', 'stop', 'a-stop-key')]));
    write('known.json', JSON.stringify([entry]));
    write('detector.pem', privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
    return async () => {
      for (const one of served) if (one.child.exitCode === null) await one.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    };
  });

  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 });

  async function serve(...flags: readonly string[]): Promise<ServedProcess> {
    const where = ['--database', database.flipperUrl, '--namespace', namespace];
    const bus = ['--brokers', address, '--topic', topics.alerts, '--group', topics.group];
    const one = await startServe([...where, '--executor', 'known.json', ...bus, ...flags], {}, folder);
    served.push(one);
    return one;
  }

  const isReading = async (api: ServedProcess): Promise<boolean> =>
    JSON.stringify((await askFor(`${api.url}/status`, {})).json['executor']).includes('"isReading":true');

  async function raise(target: string): Promise<void> {
    const publisher = new KafkaBus({ brokers: [address], topic: topics.alerts, newId: randomUUID });
    const parts = { publisher, namespace, privateKey, newId: randomUUID, clock: systemClock };
    const asked = {
      detector: 'writes',
      scope: 'tenant',
      target,
      mode: 'halt_all',
      reason: 'it writes too much',
    } as const;
    try {
      const evidence = { metric: 'writes', value: 80, threshold: 50 };
      await new AlertSender({ ...parts, observedRevision: () => null }).raise({ ...asked, evidence });
    } finally {
      await publisher.close();
    }
  }

  async function stops(): Promise<readonly string[]> {
    const owner = await database.connect(database.ownerUrl);
    const sql = 'select text from killdrill.flip where namespace = $1 order by revision';
    const { rows } = await owner.query<{ text: string }>(sql, [namespace]);
    await owner.end();
    return rows.map(({ text }) => {
      const flip = parseFlip(text);
      return flip.kind === 'stop' ? `${flip.target} ${flip.mode} ${flip.queue}` : flip.kind;
    });
  }

  it('makes stops of alerts, each once, also of those that came while it was dead; and keeps what nobody can read', async () => {
    const one = await serve('--signed-only');
    await vi.waitUntil(() => isReading(one), WAIT);
    await raise('acme');
    await vi.waitUntil(async () => (await stops()).length === 1, WAIT);
    await one.end('SIGKILL');
    await raise('umbrella');
    const unsigned = new KafkaBus({ brokers: [address], topic: topics.alerts, newId: randomUUID });
    await unsigned.publish(Buffer.from('{"agent_id":"a","reason":"nobody signed this"}'), null, 'agent:a');
    await unsigned.close();
    const heir = await serve('--signed-only');
    await vi.waitUntil(async () => (await stops()).length === 2, WAIT);
    expect(await stops()).toEqual(['acme halt_all discard', 'umbrella halt_all discard']);
    const letters = () => readLetters(plainKafka([address]), topics.deadLetters);
    await vi.waitUntil(async () => (await letters()).length === 1, WAIT);
    expect((await letters()).map(({ code }) => code)).toEqual(['unsigned']);
    expect(await heir.end('SIGTERM')).toBe(0);
    const groups = await withAdmin(plainKafka([address]), async (admin) => (await admin.listGroups()).groups);
    expect(groups.filter(({ groupId }) => groupId.startsWith(topics.group)).length).toBeLessThanOrEqual(2);
  });

  it('stops as its options say: milder than asked, and with work parked', async () => {
    const api = await serve('--alert-queue', 'park', '--alert-mode', 'halt_noncritical');
    await vi.waitUntil(() => isReading(api), WAIT);
    await raise('acme');
    await vi.waitUntil(async () => (await stops()).length === 1, WAIT);
    expect(await stops()).toEqual(['acme halt_noncritical park']);
    expect(await api.end('SIGTERM')).toBe(0);
  });

  it('raises by its own detectors what its executor reads back', async () => {
    write(
      'rules.yaml',
      'detector: writes\nrules: [{ kind: write-rate, per: tenant, windowMs: 1000, perSecond: 20 }]\n',
    );
    const api = await serve('--detectors', 'rules.yaml', '--detector-key', 'detector.pem');
    const store = database.open(namespace);
    try {
      const identity = { incarnation: `w-${namespace}`, worker: 'w', pool: 'default', version: null };
      await store.reports.register({ ...identity, leaseMs: 1_200, longestDeadlineMs: 250 });
      await vi.waitUntil(() => isReading(api), WAIT);
      let seq = 0;
      await vi.waitUntil(
        async () => {
          const intents = Array.from({ length: 10 }, () => sampleIntent((seq += 1)));
          await store.fence.admitIntents(`w-${namespace}`, (await store.flips.load()).head, intents);
          return (await stops()).length > 0;
        },
        { timeout: 60_000, interval: 50 },
      );
      expect(new Set(await stops())).toEqual(new Set(['acme halt_all discard']));
    } finally {
      await store.close();
    }
    expect(await api.end('SIGTERM')).toBe(0);
  });
});
