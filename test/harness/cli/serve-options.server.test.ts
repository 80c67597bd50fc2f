import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { AlertSender } from '../../../src/alerts/alert-sender.ts';
import { systemClock } from '../../../src/clock.ts';
import { keyEntry } from '../../../src/control/api/api-keys.ts';
import { flipKeyText, readFlipKeys, verifyFlip } from '../../../src/flip-signature.ts';
import { openAlertPublisher } from '../../../src/store/postgres/alert-bus.ts';
import { askFor, postOf } from '../../src/control/api/api-rig.ts';
import { serveEach } from './serve-each.ts';
import type { ServeGround } from './serve-each.ts';
import type { ServedProcess } from './served-process.ts';

vi.setConfig({ testTimeout: 120_000 });
const namespace = 'payments';
let database: ServeGround['database'];
let folder: string;
let serve: ServeGround['serve'];

serveEach(namespace, (ground) => ({ database, folder, serve } = ground));

it('killdrill serve --executor makes a stop of an alert that comes over the database', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ format: 'pem', type: 'spki' });
  const reach = { widestScope: 'tenant', strictestMode: 'halt_all' };
  writeFileSync(join(folder, 'detectors.json'), JSON.stringify([{ detector: 'writes', publicKey: pem, ...reach }]));
  const api = await serve(['--executor', 'detectors.json']);
  const publisher = openAlertPublisher({ connectionString: database.workerUrl, namespace });
  const sender = new AlertSender({
    ...{ publisher, namespace, privateKey, newId: randomUUID, clock: systemClock },
    observedRevision: () => null,
  });
  await sender.raise({
    ...{ detector: 'writes', scope: 'tenant', target: 'acme', mode: 'halt_all', reason: 'it writes too much' },
    evidence: { metric: 'writes per second', value: 80, threshold: 50 },
  });
  await vi.waitUntil(
    async () => JSON.stringify((await askFor(`${api.url}/switches`, {})).json).includes('"target":"acme"'),
    { timeout: 60_000, interval: 50 },
  );
  expect((await askFor(`${api.url}/status`, {})).json).toMatchObject({ executor: { isReading: true } });
  await publisher.close();
  expect(await api.end('SIGTERM')).toBe(0);
});

it('killdrill serve speaks TLS with a certificate and its key, and nothing else then', async (context) => {
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  try {
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
    execFileSync('openssl', [...args, ...names, ...files], { stdio: 'ignore' });
  } catch {
    return context.skip('no openssl on this machine to make a certificate with');
  }
  const api = await serve(['--tls-cert', 'cert.pem', '--tls-key', 'key.pem']);
  expect(api.url).toMatch(/^https:/);
  const ca = readFileSync(join(folder, 'cert.pem'));
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { 'x-api-key': 'a-stop-key', 'content-type': 'application/json' };
    request(`${api.url}/halt`, { method: 'POST', ca, headers }, (answer) => resolve(answer.statusCode))
      .on('error', reject)
      .end('{"reason":"over TLS"}');
  });
  expect(status).toBe(200);
  await expect(fetch(api.url.replace('https', 'http'))).rejects.toThrow();
});

it('killdrill serve releases with a key that agents believe, and refuses to with another', async () => {
  const [both, stops] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
  const told = [flipKeyText('stop+release', both.publicKey), flipKeyText('stop', stops.publicKey)].join(',');
  const entries = [keyEntry('on-call', 'stop', 'a-stop-key'), keyEntry('on-call', 'release', 'a-release-key')];
  writeFileSync(join(folder, 'killdrill-keys.json'), JSON.stringify(entries));
  const serveWith = (name: string, { privateKey }: { readonly privateKey: KeyObject }): Promise<ServedProcess> => {
    writeFileSync(join(folder, name), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
    return serve(['--key', name], { KILLDRILL_PUBLIC_KEY: told });
  };
  let api: ServedProcess;
  const post = (path: string, body: unknown, key: string) => askFor(`${api.url}${path}`, postOf(body, key));
  const release = () => post('/release', { engagements: ['first'], reason: 'mended' }, 'a-release-key');

  api = await serveWith('stops.pem', stops);
  expect((await post('/halt', { id: 'first', reason: 'it writes too much' }, 'a-stop-key')).status).toBe(200);
  expect(await release()).toMatchObject({
    status: 409,
    json: { code: 'RELEASE_NOT_PROVEN', detail: expect.stringContaining('is not one that may release') as string },
  });
  expect((await askFor(`${api.url}/switches`, {})).json).toMatchObject({ engagements: [{ id: 'first' }] });
  expect(await api.end('SIGTERM')).toBe(0);

  api = await serveWith('both.pem', both);
  expect(await release()).toMatchObject({ status: 200, json: { revision: 2 } });
  const { flips } = (await askFor(`${api.url}/flips`, {})).json as {
    flips: readonly { text: string; signature: string | null }[];
  };
  const keys = readFlipKeys(told);
  expect(flips.map(({ text, signature }) => verifyFlip(keys, text, signature))).toEqual([true, true]);
});
