import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { keyEntry } from '../../../src/control/api/api-keys.ts';
import { HaltedError } from '../../../src/halted-error.ts';
import { Runtime } from '../../../src/runtime.ts';
import { connectWorkerStore } from '../../../src/store/postgres/worker-store.ts';
import { askFor, postOf } from '../../src/control/api/api-rig.ts';
import { PATIENT } from '../../src/store/postgres/prepared-database.ts';
import { serveEach } from './serve-each.ts';
import type { ServeGround } from './serve-each.ts';

vi.setConfig({ testTimeout: 120_000 });
const WAIT = { timeout: 60_000, interval: 20 };
const namespace = 'payments';
const RULES = `detector: journal-watch
rules:
  - { kind: write-rate, per: tenant, windowMs: 60000, perSecond: 0.5 }
`;
let database: ServeGround['database'];
let folder: string;
let serve: ServeGround['serve'];

serveEach(namespace, (ground) => ({ database, folder, serve } = ground));
beforeEach(() => {
  write('killdrill-keys.json', JSON.stringify([keyEntry('on-call', 'release', 'a-release-key')]));
  write('rules.yaml', RULES);
  makeKey('detector.pem', 'known.json');
});

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 });

/** A detector's private key, and the list that an executor knows it by. */
function makeKey(file: string, list: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  write(file, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  const pem = publicKey.export({ format: 'pem', type: 'spki' });
  const entry = { detector: 'journal-watch', publicKey: pem, widestScope: 'tenant', strictestMode: 'halt_all' };
  write(list, JSON.stringify([entry]));
}

describe('killdrill serve --detectors', () => {
  it('stops a tenant that writes too much, by an alert on the bus, and nobody else', async () => {
    const api = await serve([
      '--executor',
      'known.json',
      '--detectors',
      'rules.yaml',
      '--detector-key',
      'detector.pem',
    ]);
    const urls = { registryUrl: database.workerUrl, databaseUrl: database.workerUrl };
    const store = await connectWorkerStore({ ...urls, namespace, timings: PATIENT });
    const runtime = new Runtime(store, { namespace, incarnation: 'worker-1', worker: 'worker-1', leaseMs: 10_000 });
    try {
      await runtime.ready(20_000);
      const status = async () => (await askFor(`${api.url}/status`, {})).json;
      await vi.waitUntil(async () => JSON.stringify(await status()).includes('"isReading":true,"rows"'), WAIT);
      let nth = 0;
      const effect = (tenant: string): Promise<unknown> =>
        runtime.gate.enter({ run: `${tenant}-${(nth += 1)}`, agent: 'a1', tenant }, () =>
          runtime.gate.run(
            { capability: 'write/mail', access: 'write', idempotencyKey: `k${nth}`, deadlineMs: 1_000 },
            () => Promise.resolve(),
          ),
        );
      await effect('quiet');
      const refusal = await vi.waitFor(
        async () => {
          const sent = await Promise.allSettled(Array.from({ length: 10 }, () => effect('acme')));
          const refused = sent.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
          expect(refused.length).toBeGreaterThan(0);
          return refused[0];
        },
        { timeout: 60_000, interval: 50 },
      );
      expect(refusal).toBeInstanceOf(HaltedError);
      expect(refusal).toMatchObject({ scope: 'tenant', target: 'acme', kind: 'operator' });
      await effect('quiet');
      expect((refusal as HaltedError).reason).toContain('times a second');
      expect(await status()).toMatchObject({ detectors: { late: 0, undelivered: 0 }, executor: { isReading: true } });
      const [{ id } = { id: '' }] = (await askFor(`${api.url}/switches`, {})).json['engagements'] as { id: string }[];
      const words = { engagements: [id], reason: 'mended' };
      const release = (more: object) => askFor(`${api?.url}/release`, postOf({ ...words, ...more }, 'a-release-key'));
      const red = await release({});
      expect([red.status, red.json['code'], red.json['detail']]).toEqual([
        ...[409, 'RELEASE_NOT_GREEN'],
        expect.stringMatching(/detectors .*acme/),
      ]);
      expect((await release({ evenIfRed: 'a test' })).status).toBe(200);
      const metrics = (await askFor(`${api.url}/metrics`, {})).text;
      expect(metrics).toMatch(
        /^killdrill_detector_alerts_total\{rule="write-rate-per-tenant",outcome="delivered"\} [1-9]/m,
      );
      expect(metrics).toMatch(/^killdrill_detectors_rows_total [1-9]/m);
      const owner = await database.connect(database.ownerUrl);
      const { rows } = await owner.query<{ kind: string }>(
        'select distinct kind from killdrill.alert_record where namespace = $1',
        [namespace],
      );
      expect(rows).toEqual([{ kind: 'flip' }]);
    } finally {
      await runtime.close();
    }
    expect(await api.end('SIGTERM')).toBe(0);
  });

  it.each([
    [['--detectors', 'loop.yaml', '--detector-key', 'detector.pem'], "the journal cannot feed 'loop-per-run' (loop)"],
    [['--executor', 'known.json', '--alert-queue', 'drain'], 'Allowed choices are discard, park'],
  ])('is told what is wrong with %j', async (flags, words) => {
    write('loop.yaml', 'detector: d\nrules: [{ kind: loop, per: run, windowMs: 1000, times: 3 }]\n');
    const said = await serve(flags).then(
      (served) => served.end('SIGKILL').then(() => 'it served'),
      (error: Error) => error.message.replaceAll(/\s+/g, ' '),
    );
    expect(said).toContain(words);
  });
});
