import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEYS, NAMESPACE, openApiRig } from './api-rig.ts';
import type { Answer, ApiRig } from './api-rig.ts';

let rig: ApiRig;
beforeAll(async () => {
  rig = await openApiRig({ kinds: ['stop', 'release', 'read'] });
  await rig.plane.ready();
});
afterAll(() => rig.close());

const SECRETS = [...Object.values(KEYS), 'a-key-of-nobody', 'hunter2'];

/** Headers as nobody's client library would let them out. */
function rawPost(path: string, headers: Record<string, string>, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(`${rig.plane.url}${path}`, { method: 'POST', headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function engagements(): Promise<readonly { readonly id: string }[]> {
  const { json } = await rig.get('/switches', { 'x-api-key': KEYS.read });
  return json['engagements'] as { readonly id: string }[];
}

describe('two hundred requests that are wrong, unauthorised, oversized, replayed or at once', () => {
  it('have the right status, lose no stop and release nothing', async () => {
    const held = ['kept-1', 'kept-2', 'kept-3'];
    for (const id of held) expect((await rig.post('/halt', { id, reason: 'x' }, KEYS.stop)).status).toBe(200);
    const bodies: readonly unknown[] = [
      '{',
      '[]',
      'null',
      '""',
      { reason: 5 },
      { reason: 'x', scope: 'all' },
      { text: 'x' },
    ];
    const asked: Promise<Answer>[] = [];
    const expected: (readonly number[])[] = [];
    const ask = (answer: Promise<Answer>, ...statuses: readonly number[]): void => {
      asked.push(answer);
      expected.push(statuses);
    };
    for (let nth = 0; nth < 20; nth += 1) {
      const body = { engagements: held, reason: 'let me' };
      ask(rig.post('/halt', bodies[nth % bodies.length], KEYS.stop), 400);
      ask(rig.post('/halt', { reason: 'x'.repeat(80_000) }, KEYS.stop), 413);
      ask(rig.post('/release', body, KEYS.stop), 403, 429);
      ask(rig.post('/release', body, KEYS.read), 403, 429);
      ask(rig.post('/release', body), 401, 429);
      ask(rig.post('/release', body, 'a-key-of-nobody'), 401, 429);
      ask(rig.post('/halt', { reason: 'x' }, KEYS.release), 403, 429);
      ask(rig.post('/halt', { id: 'kept-1', reason: 'x' }, KEYS.stop), 200); // replayed
      ask(rig.post('/halt', { id: 'kept-1', reason: 'another' }, KEYS.stop), 409);
      ask(rig.post('/halt', { id: `new-${nth}`, reason: 'x', scope: 'run', target: `run-${nth}` }, KEYS.stop), 200);
    }
    const answers = await Promise.all(asked);
    expect(answers).toHaveLength(200);
    for (const [nth, { status }] of answers.entries()) expect(expected[nth]).toContain(status);
    const open = (await engagements()).map(({ id }) => id);
    expect(open).toEqual(expect.arrayContaining([...held, ...Array.from({ length: 20 }, (_, nth) => `new-${nth}`)]));
    expect(open).toHaveLength(23);
  });

  it('take a stop with its key when everything else from there is refused', async () => {
    const flood = await Promise.all(Array.from({ length: 400 }, () => rig.get('/status', { 'x-api-key': 'hunter2' })));
    expect(flood.map(({ status }) => status)).toContain(429);
    expect((await rig.post('/halt', { id: 'in-the-flood', reason: 'x' }, KEYS.stop)).status).toBe(200);
  });

  it('leave no key in answers, errors, metrics or the record', async () => {
    for (const secret of SECRETS) {
      await rig.get(`/switches?key=${secret}`, { authorization: `Bearer ${secret}` });
      await rig.post('/halt', { reason: 'x', key: 5, [secret]: 1 }, 'hunter2');
    }
    const owner = await rig.database.connect(rig.database.ownerUrl);
    const sql = 'select row_to_json(a)::text as line from killdrill.operator_action a where namespace = $1';
    const lines = (await owner.query<{ line: string }>(sql, [NAMESPACE])).rows.map(({ line }) => line);
    const answers = await Promise.all([
      rig.get('/metrics', { 'x-api-key': KEYS.read }),
      rig.get('/', { 'x-api-key': KEYS.read }),
      rig.get('/openapi.json'),
      rig.post('/halt', { reason: 'x' }, 'hunter2'),
      rig.post('/release', { engagements: ['a'], reason: 'x' }, KEYS.stop),
    ]);
    const seen = [...lines, ...rig.errors, ...answers.map(({ text }) => text)].join('\n');
    expect(lines.length).toBeGreaterThan(0);
    for (const secret of SECRETS) expect(seen).not.toContain(secret);
    expect(readFileSync(new URL(import.meta.url), 'utf8')).toContain('hunter2'); // the search can find
  });
});

describe('reads that are closed by a key for them', () => {
  it('are refused without a key, and answered to any, also as the password of a browser', async () => {
    const paths = ['/switches', '/flips', '/status', '/metrics', '/', '/events'];
    // The flood above has used up what this address may ask for.
    await new Promise<void>((resolve) => {
      const again = (): void =>
        void rig
          .get('/status', { 'x-api-key': KEYS.read })
          .then(({ status }) => (status === 200 ? resolve() : again()));
      again();
    });
    for (const path of paths) {
      const answer = await rig.get(path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers.get('www-authenticate')).toContain('Basic');
    }
    const basic = Buffer.from(`anybody:${KEYS.read}`).toString('base64');
    expect((await rig.get('/switches', { authorization: `Basic ${basic}` })).status).toBe(200);
    expect((await rig.get('/switches', { 'x-api-key': KEYS.stop })).status).toBe(200);
    expect((await rig.get('/healthz')).status).toBe(200);
    const stopped = await rig.ask('/halt', {
      ...{ method: 'POST', body: '{"reason":"x"}' },
      headers: { 'content-type': 'application/json', authorization: `Basic ${basic}` },
    });
    expect(stopped.status).toBe(401);
  });

  it('and requests that are not even HTTP as it should be, end nobody', async () => {
    expect(await rawPost('/halt', { 'x-api-key': KEYS.stop, 'content-type': 'application/json; charset=x' }, '{')).toBe(
      400,
    );
    expect(await rawPost('/halt', { 'x-api-key': KEYS.stop, 'content-length': '1' }, '{')).toBe(415);
    expect((await rig.get('/healthz')).status).toBe(200);
  });
});
