import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { EmergencyResponse } from '../../../src/control/emergency.ts';
import type { EmergencyOptions, EmergencyResult } from '../../../src/control/emergency.ts';
import type { EmergencyFacts } from '../../../src/control/emergency-facts.ts';
import { webhookHook } from '../../../src/control/emergency-hooks.ts';
import type { EmergencyHook } from '../../../src/control/emergency-hooks.ts';
import { RunningRuns } from '../../../src/running-runs.ts';
import { canonicalText } from '../../../src/flip-text.ts';
import { NAMESPACE, stopFlip } from '../chain-store.ts';
import { GateRig, HeldCall, MAIL } from '../gate-rig.ts';
import { settled } from '../manual-clock.ts';
import { ScriptedQueue } from '../scripted-queue.ts';

const SECRET = 'card 4929-0000-0000-0000';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killdrill-emergency-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function rig(options: EmergencyOptions = {}, worker = 'w1') {
  const gated = new GateRig();
  const tasks = new ScriptedQueue();
  const results: EmergencyResult[] = [];
  const errors: string[] = [];
  const runs = new RunningRuns(gated.clock);
  const { registry, lease, inFlight } = gated;
  const response = new EmergencyResponse({
    ...{ namespace: NAMESPACE, worker, incarnation: `${worker}-life`, registry, lease, inFlight, runs, tasks },
    clock: {
      monotonicMs: () => gated.clock.monotonicMs(),
      wallMs: () => gated.clock.wallMs(),
      after: (ms, run) => systemClock.after(ms, run),
    },
    options: { folder, boundMs: 200, ...options },
    onEmergency: (result) => results.push(result),
    onError: ({ message }) => errors.push(message),
  });
  response.look(); // the load that came before it
  registry.onChange(() => response.look());
  return { gated, tasks, results, errors, runs, response };
}

async function factsAt(path: string | null | undefined): Promise<EmergencyFacts> {
  return JSON.parse(await readFile(path ?? '', 'utf8')) as EmergencyFacts;
}

describe('an emergency', () => {
  it('leaves a snapshot of what went on when it was applied: whole, redacted, and for its owner only', async () => {
    const { gated, results, runs, response } = rig();
    const held = new HeldCall();
    const identity = {
      run: 'r1',
      agent: 'a1',
      tenant: 'acme',
      lineage: ['root'],
      claim: { task: 't1', token: 'secret-token' },
    };
    const going = gated.gate.enter(identity, (context) =>
      runs.track(context, () => gated.gate.run({ ...MAIL, idempotencyKey: SECRET }, held.call)),
    );
    going.catch(() => undefined);
    await settled();
    gated.clock.advance(250);
    gated.stop({ mode: 'emergency', reason: 'x'.repeat(1_000) });
    await response.idle();
    const [{ snapshot, ...result } = { snapshot: null }] = results;
    expect(result).toEqual({ revision: 1, hooks: [] });
    const facts = await factsAt(snapshot);
    expect(facts).toMatchObject({
      ...{ version: 1, namespace: NAMESPACE, worker: 'w1', incarnation: 'w1-life', engagement: 'e1', revision: 1 },
      head: { revision: 1 },
      lease: { held: true, leftMs: 950 },
      switches: [{ id: 'e1', mode: 'emergency', revision: 1, reason: 'x'.repeat(200) }],
      runs: [{ run: 'r1', agent: 'a1', tenant: 'acme', lineage: ['root'], task: 't1', forMs: 250 }],
      calls: { count: 1, listed: [{ run: 'r1', capability: 'write/mail', forMs: 250, aborted: true }] },
      queue: [{ kind: 'run', state: 'queued', count: 3 }],
    });
    const text = await readFile(snapshot ?? '', 'utf8');
    expect([text.includes(SECRET), text.includes('secret-token')]).toEqual([false, false]);
    expect((await stat(snapshot ?? '')).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
    held.resolve('late');
  });

  it('is responded to once, whatever comes by whatever path, and not in milder modes', async () => {
    const { gated, results, response } = rig();
    gated.stop();
    const flip = stopFlip('early', { mode: 'emergency' });
    gated.registry.arrive({ text: canonicalText(flip), signature: null, place: null });
    gated.registry.arrive({ text: canonicalText(flip), signature: null, place: null });
    gated.registry.apply([gated.store.commit(flip)]);
    gated.registry.load(gated.store.load());
    await response.idle();
    expect(results).toMatchObject([{ revision: null, hooks: [] }]);
    gated.stop({ mode: 'emergency', scope: 'tenant', target: 'acme' });
    await response.idle();
    expect(results).toHaveLength(2);
    expect(response.results()).toEqual(results);
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('that was there before this process is no occasion', async () => {
    const gated = new GateRig();
    gated.stop({ mode: 'emergency' });
    const { registry, lease, inFlight, clock } = gated;
    const onEmergency = vi.fn<(result: EmergencyResult) => void>();
    const sources = { namespace: NAMESPACE, worker: 'w', incarnation: 'i', clock, registry, lease, inFlight };
    const response = new EmergencyResponse({
      ...{ ...sources, runs: new RunningRuns(clock), tasks: new ScriptedQueue(), options: { folder }, onEmergency },
    });
    response.look();
    response.look();
    await response.idle();
    expect(onEmergency).not.toHaveBeenCalled();
    expect(await readdir(folder)).toEqual([]);
  });

  it('keeps the newest snapshots of each worker, and clears away what a dead process left half-written', async () => {
    const one = rig({ keep: 2 }, 'w1');
    const other = rig({ keep: 2 }, '../w1_x');
    const old = '.emergency_w1_20200101T000000000Z_r1_00000000.json.tmp';
    await writeFile(join(folder, old), '{');
    await writeFile(join(folder, 'notes.txt'), 'mine');
    for (let at = 0; at < 5; at += 1) {
      for (const { gated, response } of [one, other]) {
        gated.clock.advance(1_000);
        gated.stop({ mode: 'emergency' });
        await response.idle();
      }
    }
    const names = await readdir(folder);
    expect(names).toHaveLength(5);
    expect(names).toContain('notes.txt');
    for (const { results } of [one, other]) {
      const kept = results.map(({ snapshot }) => names.some((name) => snapshot === join(folder, name)));
      expect(kept).toEqual([false, false, false, true, true]);
    }
  });

  it('is told though the store does not count, and though there is nowhere to write', async () => {
    const told: unknown[] = [];
    const hook: EmergencyHook = { name: 'pager', notify: async (news) => void told.push(news) };
    const blocked = join(folder, 'a file');
    await writeFile(blocked, '');
    const { gated, tasks, results, errors, response } = rig({ folder: blocked, hooks: [hook] });
    tasks.pace = () => new Promise(() => undefined);
    gated.stop({ mode: 'emergency' });
    await response.idle();
    expect(results).toEqual([{ revision: 1, snapshot: null, hooks: [{ name: 'pager', ok: true, error: null }] }]);
    expect(told).toMatchObject([{ queue: null, snapshot: null, engagement: 'e1' }]);
    expect(errors).toEqual([expect.stringContaining('within 200 ms'), expect.stringContaining(blocked)]);
  });

  it('makes its folder, and survives one that it may not write to', async () => {
    const deep = join(folder, 'a', 'b');
    const { gated, results, response } = rig({ folder: deep });
    gated.stop({ mode: 'emergency' });
    await response.idle();
    expect(results[0]?.snapshot).toContain(deep);
    await mkdir(join(folder, 'shut'));
    await chmod(join(folder, 'shut'), 0o500);
    const shut = rig({ folder: join(folder, 'shut', 'in') });
    shut.gated.stop({ mode: 'emergency' });
    await shut.response.idle();
    expect(shut.results).toHaveLength(1);
  });

  it('writes nothing where no folder is given', async () => {
    const { gated, results, response } = rig({ folder: null });
    gated.stop({ mode: 'emergency' });
    await response.idle();
    expect(results).toEqual([{ revision: 1, snapshot: null, hooks: [] }]);
  });

  it('does not undo or delay the stop, whatever fails', async () => {
    const { gated, tasks } = rig();
    tasks.counts = () => {
      throw new Error('at once');
    };
    gated.registry.onChange(() => undefined);
    const held = new HeldCall();
    const going = gated.gate.enter({ run: 'r1', agent: 'a1' }, () => gated.gate.run(MAIL, held.call));
    going.catch(() => undefined);
    await settled();
    gated.stop({ mode: 'emergency' });
    expect(held.signal?.aborted).toBe(true);
    held.resolve('late');
  });
});

describe('the hooks of an emergency', () => {
  it('are all told, each bounded, and none hurts another', async () => {
    const signals: AbortSignal[] = [];
    const seen: unknown[] = [];
    const hooks: EmergencyHook[] = [
      {
        name: 'throws at once',
        notify: () => {
          throw new Error('now');
        },
      },
      { name: 'rejects', notify: () => Promise.reject(new Error('later')) },
      {
        name: 'never ends',
        notify: (_news, signal) => {
          signals.push(signal);
          return new Promise(() => undefined);
        },
      },
      { name: 'meddles', notify: async (news) => void Object.assign(news, { engagement: 'nothing' }) },
      { name: 'rejects with no error', notify: () => Promise.reject(new Error('')) },
      { name: 'rejects with no words', notify: () => Promise.reject(Object.create(null) as Error) },
      { name: 'listens', notify: async ({ engagement }) => void seen.push(engagement) },
    ];
    const { gated, results, response } = rig({ hooks, boundMs: 50 });
    gated.stop({ mode: 'emergency' });
    await response.idle();
    expect(results[0]?.hooks).toEqual([
      { name: 'throws at once', ok: false, error: 'now' },
      { name: 'rejects', ok: false, error: 'later' },
      { name: 'never ends', ok: false, error: 'it did not end within 50 ms' },
      { name: 'meddles', ok: true, error: null },
      { name: 'rejects with no error', ok: false, error: '' },
      { name: 'rejects with no words', ok: false, error: 'something was thrown that cannot be put into words' },
      { name: 'listens', ok: true, error: null },
    ]);
    expect([signals[0]?.aborted, seen]).toEqual([true, ['e1']]);
  });

  it('may be webhooks: the facts as JSON, judged by the answer, named by the host alone', async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('end', () => {
        bodies.push(body);
        if (request.url === '/slow') return;
        response
          .writeHead(request.url === '/no' ? 503 : request.url === '/moved' ? 302 : 204, { location: '/yes' })
          .end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const host = `127.0.0.1:${port}`;
    const hooks = ['yes?token=s3cret', 'no', 'moved', 'slow'].map((path) => webhookHook(`http://${host}/${path}`));
    const { gated, results, response } = rig({ hooks: [...hooks, webhookHook('http://127.0.0.1:1/')] });
    gated.stop({ mode: 'emergency' });
    await response.idle();
    server.closeAllConnections();
    server.close();
    expect(results[0]?.hooks.map(({ ok }) => ok)).toEqual([true, false, false, false, false]);
    expect(results[0]?.hooks[1]).toEqual({ name: `webhook ${host}`, ok: false, error: `${host} answered 503` });
    expect(JSON.stringify(results)).not.toContain('s3cret');
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ engagement: 'e1', snapshot: results[0]?.snapshot });
  });

  it.each(['', 'example.org', 'ftp://example.org', 'javascript:alert(1)'])('refuse %j for an address', (url) => {
    expect(() => webhookHook(url)).toThrow(/expected an http or https URL/);
  });

  it('refuse an address with credentials, which no request could have, and do not repeat them', () => {
    expect(() => webhookHook('https://me:s3cret@example.org/s3cret')).toThrow(
      /^(?!.*s3cret).*webhook example\.org has a name or a password/,
    );
  });
});
