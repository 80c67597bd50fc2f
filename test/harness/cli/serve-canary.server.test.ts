import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Decider } from '../../../src/decider.ts';
import { flipKeyText, readFlipKeys } from '../../../src/flip-signature.ts';
import { Runtime } from '../../../src/runtime.ts';
import type { RuntimeOptions } from '../../../src/runtime.ts';
import { connectWorkerStore } from '../../../src/store/postgres/worker-store.ts';
import { askFor } from '../../src/control/api/api-rig.ts';
import { PATIENT } from '../../src/store/postgres/prepared-database.ts';
import { runCommand } from './run-command.ts';
import { serveEach } from './serve-each.ts';
import type { ServeGround } from './serve-each.ts';
import type { ServedProcess } from './served-process.ts';

vi.setConfig({ testTimeout: 180_000 });
const WAIT = { timeout: 90_000, interval: 50 };
const namespace = 'payments';
let database: ServeGround['database'];
let folder: string;
let serve: ServeGround['serve'];
const workers: Runtime[] = [];

serveEach(namespace, (ground) => ({ database, folder, serve } = ground));
afterEach(async () => {
  for (const one of workers.splice(0)) await one.close();
});

async function addWorker(name: string, parts: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const urls = { registryUrl: database.workerUrl, databaseUrl: database.workerUrl };
  const store = await connectWorkerStore({ ...urls, namespace, timings: PATIENT });
  const identity = { namespace, incarnation: `${name}-${namespace}`, worker: name, leaseMs: 10_000 };
  const runtime = new Runtime(store, { ...identity, ...parts });
  workers.push(runtime);
  await runtime.ready(20_000);
  return runtime;
}

const deaf = (genuine: Decider): Decider => ({ version: 1, stopFor: () => null, verified: () => genuine.verified() });

interface Told {
  readonly lastProvenMs: number | null;
  readonly canary: { readonly rounds: Readonly<Record<string, number>>; readonly last: unknown } | null;
}

const told = async (api: ServedProcess): Promise<Told> =>
  (await askFor(`${api.url}/status`, {})).json as unknown as Told;

async function flips(): Promise<readonly { readonly kind: string; readonly open: boolean }[]> {
  const owner = await database.connect(database.ownerUrl);
  const { rows } = await owner.query<{ kind: string; open: boolean }>(
    `select f.kind, e.closed_revision is null and f.kind = 'stop' as open from killdrill.flip f
     left join killdrill.engagement e on e.namespace = f.namespace and e.id = f.id where f.namespace = $1 order by f.revision`,
    [namespace],
  );
  return rows;
}

describe('killdrill serve --canary-every', () => {
  it('proves between drills that a stop reaches every worker, once for all servers on one database', async () => {
    await addWorker('worker-1');
    await addWorker('worker-2');
    const [one, other] = await Promise.all([
      serve(['--canary-every', '10m', '--spool', 'one']),
      serve(['--canary-every', '10m', '--spool', 'other']),
    ]);
    const proven = async (): Promise<number> =>
      ((await told(one)).canary?.rounds['proven'] ?? 0) + ((await told(other)).canary?.rounds['proven'] ?? 0);
    await vi.waitUntil(async () => (await proven()) === 1, WAIT);
    for (const api of [one, other]) {
      await vi.waitUntil(async () => (await told(api)).lastProvenMs !== null, WAIT);
      const metrics = (await askFor(`${api.url}/metrics`, {})).text;
      expect(metrics).toMatch(/^killdrill_last_proven_timestamp_seconds [1-9]/m);
      expect(metrics).toMatch(/^killdrill_canary_rounds_total\{outcome="failed"\} 0$/m);
    }
    const flier = (await told(one)).canary?.last === null ? other : one;
    expect((await told(flier)).canary?.last).toMatchObject({ outcome: 'proven', refused: 2, silent: [], gone: [] });
    const metrics = (await askFor(`${flier.url}/metrics`, {})).text;
    expect(metrics).toMatch(/^killdrill_canary_rounds_total\{outcome="proven"\} 1$/m);
    expect(metrics).toMatch(/^killdrill_canary_seconds 0\.\d+|^killdrill_canary_seconds [1-9]/m);
    expect(metrics).toMatch(/^killdrill_canary_silent_workers 0$/m);
    const where = ['--database', database.flipperUrl, '--namespace', namespace];
    expect((await runCommand(['status', ...where])).stdout).toMatch(/last proven able to halt \d+ s ago/);
    expect((await runCommand(['status', '--prove', ...where])).code).toBe(0);
    for (const api of [one, other]) expect(await api.end('SIGTERM')).toBe(0);
    const rounds = ['stop', 'release', 'stop', 'release'].map((kind) => ({ kind, open: false }));
    expect(await flips()).toEqual(rounds);
  });

  it('is healed by the next start when it is killed in the midst of a canary', async () => {
    await addWorker('worker-1', { decider: deaf });
    const flags = ['--canary-every', '1m'];
    const killed = await serve(flags);
    await vi.waitUntil(async () => (await flips()).some(({ open }) => open), { ...WAIT, interval: 10 });
    await killed.end('SIGKILL');
    expect((await flips()).filter(({ open }) => open)).toHaveLength(1);
    const heir = await serve(flags);
    await vi.waitUntil(async () => (await told(heir)).canary?.rounds['silent'] === 1, WAIT);
    expect((await flips()).filter(({ open }) => open)).toEqual([]);
    expect((await told(heir)).canary?.last).toMatchObject({ outcome: 'silent', silent: ['worker-1'] });
    expect(heir.said()).toContain('workers that have not refused the canary: worker-1');
    expect(await heir.end('SIGTERM')).toBe(0);
  });

  it('leaves nothing open when it is asked to end in the midst of a canary', async () => {
    await addWorker('worker-1', { decider: deaf });
    const api = await serve(['--canary-every', '1m']);
    await vi.waitUntil(async () => (await flips()).some(({ open }) => open), { ...WAIT, interval: 10 });
    expect(await api.end('SIGTERM')).toBe(0);
    expect((await flips()).map(({ kind, open }) => [kind, open])).toEqual([
      ['stop', false],
      ['release', false],
    ]);
  });

  it('is let go by agents that know keys, and its head is vouched for', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const file = join(folder, 'release.pem');
    writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
    const told = flipKeyText('stop+release', publicKey);
    const { registry } = await addWorker('worker-1', { keys: readFlipKeys(told) });
    const api = await serve(['--canary-every', '10m', '--key', file], { KILLDRILL_PUBLIC_KEY: told });
    await vi.waitUntil(() => registry.head?.revision === 2, WAIT);
    expect(registry.openCount).toBe(0);
    const owner = await database.connect(database.ownerUrl);
    const sql = 'select revision::integer from killdrill.head_signature where namespace = $1';
    const signed = async () => (await owner.query<{ revision: number }>(sql, [namespace])).rows;
    await vi.waitUntil(async () => (await signed()).length > 0, WAIT);
    expect(await signed()).toEqual([{ revision: 2 }]);
    expect(await api.end('SIGTERM')).toBe(0);
  });

  it('is refused where agents know keys and nobody here may sign its release', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const known = { KILLDRILL_PUBLIC_KEY: flipKeyText('stop', publicKey) };
    await expect(serve(['--canary-every', '10m'], known)).rejects.toThrow('sign it with --key FILE');
    const file = join(folder, 'stop.pem');
    writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
    await expect(serve(['--canary-every', '10m', '--key', file], known)).rejects.toThrow('the key may only stop');
  });
});
