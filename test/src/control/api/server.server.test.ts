import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stopText } from '../../store/samples.ts';
import { KEYS, NAMESPACE, openApiRig, postOf } from './api-rig.ts';
import type { ApiRig } from './api-rig.ts';

let rig: ApiRig;
beforeAll(async () => {
  rig = await openApiRig();
  await rig.plane.ready();
});
afterAll(() => rig.close());

const halt = (body: Record<string, unknown>) => rig.post('/halt', { reason: 'it writes too much', ...body }, KEYS.stop);
const release = (body: Record<string, unknown>) =>
  rig.post('/release', { reason: 'rolled back', ...body }, KEYS.release);

async function flips(): Promise<readonly { readonly revision: number; readonly text: string }[]> {
  const all = [];
  for (let after = 0; ;) {
    const { json } = await rig.get(`/flips?after=${after}&limit=1000`);
    const page = json['flips'] as { readonly revision: number; readonly text: string }[];
    all.push(...page);
    if (page.length === 0) return all;
    after = page.at(-1)!.revision;
  }
}

describe('POST /halt', () => {
  it('makes a stop durable: global halt_all unless told otherwise', async () => {
    const { status, json } = await halt({ id: 'first' });
    expect([status, json]).toEqual([
      200,
      expect.objectContaining({ id: 'first', durable: true, revision: expect.any(Number) as number }),
    ]);
    const { json: switches } = await rig.get('/switches');
    expect(switches).toMatchObject({
      engagements: [
        {
          ...{ id: 'first', scope: 'global', target: '*', mode: 'halt_all', queue: 'discard' },
          ...{ reason: 'it writes too much', triggeredBy: 'stop-key', source: 'api:stop-key' },
        },
      ],
    });
    expect((await release({ engagements: ['first'] })).status).toBe(200);
  });

  it('has the first answer for the same stop, with its instant or without, and refuses its id for another', async () => {
    const first = await halt({ id: 'twice', scope: 'tenant', target: 'acme' });
    expect((await halt({ id: 'twice', scope: 'tenant', target: 'acme' })).json).toEqual(first.json);
    const other = await halt({ id: 'twice', scope: 'tenant', target: 'umbrella' });
    expect([other.status, other.json['code']]).toEqual([409, 'FLIP_ID_REUSED']);
    await release({ engagements: ['twice'] });
    // It was released since: it stays so.
    expect((await halt({ id: 'twice', scope: 'tenant', target: 'acme' })).json).toEqual(first.json);
    await vi.waitUntil(async () => (await rig.get('/switches')).json['engagements'] instanceof Array);
  });

  it('takes a flip that its caller made, verbatim', async () => {
    const text = stopText(NAMESPACE, { id: 'made', scope: 'agent', target: 'agent-7' });
    const { status } = await rig.post('/halt', { text, signature: 'c2lnbmF0dXJl' }, KEYS.stop);
    expect(status).toBe(200);
    expect((await flips()).at(-1)).toMatchObject({ text, signature: 'c2lnbmF0dXJl' });
    await release({ engagements: ['made'] });
  });

  it('keeps fifty that come at once, gapless, each once', async () => {
    const before = (await flips()).length;
    const ids = Array.from({ length: 50 }, (_, nth) => `at-once-${nth}`);
    const answers = await Promise.all(ids.map((id) => halt({ id, scope: 'run', target: id })));
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200));
    const revisions = answers.map(({ json }) => json['revision']).toSorted((one, other) => Number(one) - Number(other));
    expect(revisions).toEqual(ids.map((_, nth) => before + nth + 1));
    expect((await release({ engagements: ids })).status).toBe(200);
  });
});

describe('POST /release', () => {
  it('closes all that are named or none, and names the one that is not open', async () => {
    await halt({ id: 'open-one', scope: 'tenant', target: 'acme' });
    const none = await release({ engagements: ['open-one', 'nobody-opened-this'] });
    expect([none.status, none.json['code']]).toEqual([409, 'ENGAGEMENT_NOT_OPEN']);
    expect(none.json['detail']).toContain('nobody-opened-this');
    const done = await rig.post('/reset', { engagements: ['open-one'], reason: 'by its other name' }, KEYS.release);
    expect([done.status, done.json]).toMatchObject([
      200,
      { closed: [{ id: 'open-one', scope: 'tenant', target: 'acme' }] },
    ]);
  });

  it('refuses a key that stops, and puts that on record', async () => {
    await halt({ id: 'stays' });
    const refused = await rig.post('/release', { engagements: ['stays'], reason: 'let me' }, KEYS.stop);
    expect([refused.status, refused.json['code'], refused.type]).toEqual([403, 'KEY_KIND', 'application/problem+json']);
    const owner = await rig.database.connect(rig.database.ownerUrl);
    const sql = `select asked_by, request, refusal_code from killdrill.operator_action where kind = 'control' and namespace = $1`;
    await vi.waitUntil(async () => (await owner.query(sql, [NAMESPACE])).rows.length > 0, { timeout: 10_000 });
    expect((await owner.query(sql, [NAMESPACE])).rows).toEqual([
      { asked_by: 'stop-key', request: 'POST /release from 127.0.0.1', refusal_code: 'KEY_KIND' },
    ]);
    expect((await rig.post('/halt', { reason: 'x' }, KEYS.release)).status).toBe(403);
    expect((await release({ engagements: ['stays'] })).status).toBe(200);
  });
});

describe('reads', () => {
  it('page through the record in order, without a gap', async () => {
    const all = await flips();
    expect(all.map(({ revision }) => revision)).toEqual(all.map((_, nth) => nth + 1));
    const { json } = await rig.get('/flips?after=2&limit=3');
    expect((json['flips'] as { revision: number }[]).map(({ revision }) => revision)).toEqual([3, 4, 5]);
  });

  it('say how the process is', async () => {
    await vi.waitUntil(async () => (await rig.get('/status')).json['verified'] === true, { timeout: 10_000 });
    expect((await rig.get('/status')).json).toMatchObject({
      ...{ namespace: NAMESPACE, stops: { waiting: 0, away: null }, refusals: { dropped: 0 }, executor: null },
    });
    expect((await rig.get('/healthz')).status).toBe(200);
    expect((await rig.get('/readyz')).status).toBe(200);
  });

  it('say who is there, and how far a stop has come', async () => {
    const { json: taken } = await rig.post('/halt', { scope: 'tenant', target: 'seen', reason: 'x' }, KEYS.stop);
    expect((await rig.get('/workers')).json).toEqual({ workers: [] });
    expect((await rig.get(`/stops/${String(taken['id'])}`)).json).toMatchObject({
      id: taken['id'],
      state: 'pending',
      missing: expect.arrayContaining([expect.stringMatching(/inventory/)]),
    });
    expect(await rig.get('/stops/never-taken')).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } });
  });

  it('count, with no label that a request brought', async () => {
    await rig.get('/nowhere-a-stranger-made-up');
    const { text, type } = await rig.get('/metrics');
    expect(type).toContain('text/plain');
    expect(text).toMatch(/killdrill_stop_seconds_count\{outcome="durable"\} \d+/);
    expect(text).toMatch(/killdrill_open_engagements \d+/);
    expect(text).not.toContain('stranger');
  });

  it('have a document of every route, made from what reads their requests', async () => {
    const { json } = await rig.get('/openapi.json');
    expect(Object.keys(json['paths'] as object)).toEqual(
      expect.arrayContaining([
        '/halt',
        '/release',
        '/reset',
        '/switches',
        '/flips',
        '/status',
        '/events',
        '/metrics',
        '/',
      ]),
    );
    expect(JSON.stringify(json)).toContain('what becomes of queued work in scope');
  });

  it('tell those who watch what comes and goes', async () => {
    const controller = new AbortController();
    const response = await fetch(`${rig.plane.url}/events`, { signal: controller.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    let heard = '';
    const listening = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) heard += decoder.decode(chunk as Uint8Array, { stream: true });
    })().catch(() => undefined);
    await vi.waitUntil(() => heard.includes('event: switches'), { timeout: 10_000 });
    await halt({ id: 'watched', scope: 'tenant', target: 'acme' });
    await vi.waitUntil(() => /event: stop\ndata: \{[^\n]*"watched"[^\n]*"revision":\d+/.test(heard), {
      timeout: 10_000,
    });
    await release({ engagements: ['watched'] });
    await vi.waitUntil(() => heard.includes('event: release\ndata: {"id":"watched"}'), { timeout: 10_000 });
    controller.abort();
    await listening;
  });
});

describe('a request that is wrong', () => {
  const BAD: readonly (readonly [string, unknown, string])[] = [
    ['no reason', {}, 'body.reason'],
    ['an empty reason', { reason: '  ' }, 'body.reason'],
    ['a reason that is too long', { reason: 'x'.repeat(2_001) }, 'body.reason'],
    ['an unknown key', { reason: 'x', tenant: 'acme' }, 'body.tenant'],
    ['an unknown scope', { reason: 'x', scope: 'world' }, 'body.scope'],
    ['a scope without a target', { reason: 'x', scope: 'tenant' }, 'body.target'],
    ['a global switch with a target', { reason: 'x', target: 'acme' }, 'body.target'],
    ['an unknown mode', { reason: 'x', mode: 'disengaged' }, 'body.mode'],
    ['a drain without its time', { reason: 'x', queue: 'drain' }, 'body.drainMs'],
    ['a time without a drain', { reason: 'x', drainMs: 5 }, 'body.drainMs'],
    ['a drain in an emergency', { reason: 'x', queue: 'drain', drainMs: 5, mode: 'emergency' }, 'body.queue'],
    ['a NUL', { reason: 'x', scope: 'tenant', target: 'a\u0000' }, 'body.target'],
    ['half of a surrogate pair', { reason: '\ud800' }, 'body.reason'],
    ['a list', [], 'body'],
    ['nothing', null, 'body'],
    ['a text that is no flip', { text: '{}' }, 'body.text'],
    ['a text with a NUL', { text: stopText(NAMESPACE, { reason: 'a\u0000' }) }, 'body.text'],
    ['a text of another namespace', { text: stopText('other') }, ''],
    ['broken JSON', '{"reason":', 'body'],
    ['an empty body', '', 'body'],
  ];

  it.each(BAD)('has a problem document that names the field: %s', async (_, body, field) => {
    const before = (await flips()).length;
    const { status, type, json } = await rig.post('/halt', body, KEYS.stop);
    expect([status, type]).toEqual([400, 'application/problem+json']);
    expect(json).toMatchObject({
      status: 400,
      code: expect.any(String) as string,
      detail: expect.any(String) as string,
    });
    if (field !== '') expect(json['field']).toBe(field);
    expect((await flips()).length).toBe(before);
  });

  it.each([
    ['/release', { engagements: [], reason: 'x' }, 'body.engagements'],
    ['/release', { engagements: ['a'] }, 'body.reason'],
    ['/release', { engagements: 'a', reason: 'x' }, 'body.engagements'],
    ['/release', { engagements: ['a'], reason: 'x', scope: 'global' }, 'body.scope'],
  ])('names the field of a release: %s %j', async (path, body, field) => {
    const { status, json } = await rig.post(path, body, KEYS.release);
    expect([status, json['field']]).toEqual([400, field]);
  });

  it.each([
    ['/flips?after=-1', 'query.after'],
    ['/flips?limit=0', 'query.limit'],
    ['/flips?limit=1001', 'query.limit'],
    ['/flips?after=1&after=2', 'query.after'],
    ['/flips?from=1', 'query.from'],
  ])('names the field of a query: %s', async (path, field) => {
    const { status, json } = await rig.get(path);
    expect([status, json['field']]).toEqual([400, field]);
  });

  it.each([
    [413, { ...postOf({ reason: 'x'.repeat(70_000) }, KEYS.stop) }],
    [415, { method: 'POST', headers: { 'x-api-key': KEYS.stop, 'content-type': 'text/plain' }, body: 'stop' }],
    [
      415,
      {
        method: 'POST',
        headers: { 'x-api-key': KEYS.stop, 'content-type': 'application/x-www-form-urlencoded' },
        body: 'reason=x',
      },
    ],
    [405, { method: 'DELETE' }],
  ])('is told apart by its status: %i', async (status, init) => {
    const answer = await rig.ask('/halt', init);
    expect([answer.status, answer.type]).toEqual([status, 'application/problem+json']);
  });

  it('is answered 404 where there is no such route', async () => {
    expect((await rig.get('/nowhere')).json).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });
});

// The last, since each stop from here on is red.
describe('a release', () => {
  it('is red while the fleet runs what it ran at the stop, and says so', async () => {
    const store = rig.database.open(NAMESPACE);
    const contract = { model: 'model-1', prompt: 'prompt-1', tools: {} };
    await store.operator.declareContract(contract, { by: 'deploy', reason: 'build 1' });
    await halt({ id: 'red' });
    const red = await release({ engagements: ['red'] });
    expect([red.status, red.json['code']]).toEqual([409, 'RELEASE_NOT_GREEN']);
    expect((await release({ engagements: ['red'], evenIfRed: 'we accept it' })).status).toBe(200);
    await store.close();
  });
});
