import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { canonicalText } from '../../../src/flip-text.ts';
import { openRig } from './rig.ts';
import type { Rig, Stage } from './rig.ts';

type Words = Readonly<Record<string, string>>;

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

let server: Server;
/** What the API does with a stop, and answers. */
let onHalt: (words: Words) => Promise<{ readonly status: number; readonly body: unknown }>;
beforeEach(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      void onHalt(JSON.parse(text) as Words).then(({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      );
    });
  }).listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});
afterEach(() => server.close());

const STOP = '{ flip: { scope: tenant, target: acme, mode: halt_all, via: api } }';
const UNAWAITED = '{ flip: { scope: tenant, target: acme, mode: halt_all, via: api, wait: nothing } }';
const OTHER = '{ flip: { scope: tenant, target: beta, mode: halt_all } }';
const RELEASE = '{ release: { scope: tenant, target: acme } }';
const PROVISIONAL = { why: 'the store is away', reached: [], keptAt: '/spool/1' };

async function stageWithApi(): Promise<Stage> {
  const stage = await rig.stage([]);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stage.api = { url, keys: { stop: 's', release: 'r' } };
  return stage;
}

/** Once one answer is on the drill's record. */
function hasAnswered(stage: Stage): Promise<unknown> {
  return vi.waitUntil(() => stage.of('flip.answered').length === 1, { timeout: 10_000, interval: 5 });
}

/** As the API's own process puts it into the store. */
async function putInStore({ store, namespace }: Stage, words: Words): Promise<number> {
  const { id = '', target = '', reason = '', by = '', at = '' } = words;
  const flip = { kind: 'stop', namespace, id, scope: 'tenant', target, mode: 'halt_all', queue: 'discard' } as const;
  const text = canonicalText({ ...flip, reason, triggeredBy: by, source: 'api:drill', at });
  return (await store.flips.flip(text, null)).record.revision;
}

describe('a stop over the API', () => {
  test('that is not durable yet goes on record as that, and its release waits for the store to have it', async () => {
    const stage = await stageWithApi();
    const later: Promise<number>[] = [];
    onHalt = (words) => {
      later.push(hasAnswered(stage).then(() => putInStore(stage, words)));
      return Promise.resolve({ status: 202, body: PROVISIONAL });
    };
    await stage.play(null, STOP, RELEASE);
    await Promise.all(later);
    const [stop, release] = stage.of('flip.answered');
    expect(stop).toMatchObject({ ok: true, revision: null, provisional: { why: 'the store is away', kept: true } });
    const [durable] = stage.of('flip.durable');
    expect(durable).toMatchObject({ flip: 1, id: stop?.id, revision: 1 });
    expect(release).toMatchObject({ ok: true, revision: 2, engagements: [stop?.id] });
    const asked = stage.of('flip.requested').at(-1);
    expect(asked?.kind).toBe('release');
    expect(asked?.t0).toBeGreaterThanOrEqual(durable?.t1 ?? Number.POSITIVE_INFINITY);
  });

  test('whose answer nobody waits for does not hold up the next stop, and is there before a release', async () => {
    const stage = await stageWithApi();
    onHalt = async (words) => {
      // It answers once the other operator's stop is durable.
      await hasAnswered(stage);
      return { status: 200, body: { id: words['id'], revision: await putInStore(stage, words) } };
    };
    await stage.play(null, UNAWAITED, OTHER, RELEASE);
    expect(stage.of('flip.answered')).toMatchObject([
      { flip: 2, target: 'beta', ok: true, revision: 1 },
      { flip: 1, target: 'acme', ok: true, revision: 2 },
      { flip: 3, kind: 'release', ok: true, revision: 3 },
    ]);
  });

  test('that its keys may not ask for is refused on record, and the timeline goes on', async () => {
    const stage = await stageWithApi();
    const body = { code: 'KEY_UNKNOWN', detail: 'the key is none of those' };
    onHalt = () => Promise.resolve({ status: 401, body });
    await stage.play(null, STOP, OTHER);
    expect(stage.of('flip.answered')).toMatchObject([
      { flip: 1, ok: false, revision: null, error: 'the key is none of those' },
      { flip: 2, ok: true, revision: 1 },
    ]);
  });
});
