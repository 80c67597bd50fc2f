import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { haltByApi } from '../../../src/control/halt-by-api.ts';
import { takeStop } from '../../../src/control/halt-paths.ts';
import type { HaltEvent, HaltPath, HaltTimings, PathTook, StopKeeper } from '../../../src/control/halt-paths.ts';
import { systemClock } from '../../../src/clock.ts';
import { KilldrillError } from '../../../src/errors.ts';
import { parseFlip } from '../../../src/flip-text.ts';
import { stopText } from '../store/samples.ts';

const open: (Server | TcpServer)[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(server: Server | TcpServer): Promise<number> {
  server.on('connection', (socket: Socket) => sockets.add(socket));
  open.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A real HTTP server that speaks as `killdrill serve` does, or as it should not. */
async function api(name: string, answer: RequestListener, stopKey = 'stop-key'): Promise<HaltPath> {
  return haltByApi({ name, url: `http://127.0.0.1:${await listening(createServer(answer))}`, stopKey });
}

async function bodyOf(request: Parameters<RequestListener>[0]): Promise<{ text: string; signature: string | null }> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk as string;
  return JSON.parse(body) as { text: string; signature: string | null };
}

type Answer = (id: string) => readonly [status: number, body: unknown];

function says(answer: Answer): RequestListener {
  return (request, response) => {
    void bodyOf(request).then(({ text }) => {
      const [status, body] = answer(parseFlip(text).id);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  };
}

const durable: Answer = (id) => [200, { id, durable: true, revision: 7, head: { epoch: 'e', revision: 7, hash: 'h' } }];
const provisional: Answer = (id) => [
  202,
  { id, durable: false, why: 'the store is away', reached: ['api'], keptAt: '/spool/1' },
];
const problem =
  (status: number, detail = 'it cannot'): Answer =>
  () => [status, { type: 'about:blank', title: 'no', status, detail, code: 'NO' }];

const hangs: RequestListener = () => undefined;
const DEAD: HaltPath = haltByApi({ name: 'dead', url: 'http://127.0.0.1:1', stopKey: 'k' });
/** A file that watching processes would see. */
const FILE: HaltPath = {
  name: 'file',
  take: async () => ({ kind: 'provisional', resident: false, says: 'in the state file' }),
};

class Shelf implements StopKeeper {
  readonly kept: string[] = [];
  dropped = 0;
  keep(text: string): Promise<string> {
    this.kept.push(text);
    return Promise.resolve('/kept/1');
  }
  drop(): Promise<void> {
    this.dropped += 1;
    return Promise.resolve();
  }
}

const QUICK: Partial<HaltTimings> = {
  stepMs: 100,
  pathMs: 400,
  pauseMs: 10,
  askAgainMs: 10,
  keepMs: 200,
  giveUpMs: 20_000,
};

function take(paths: readonly HaltPath[], options: Partial<HaltTimings> = {}, keeper: StopKeeper = new Shelf()) {
  const controller = new AbortController();
  const events: HaltEvent[] = [];
  const stop = { text: stopText('ns', { id: randomUUID() }), signature: null };
  const outcome = takeStop(
    {
      ...{ paths, keeper, clock: systemClock, timings: { ...QUICK, ...options } },
      onEvent: (event) => events.push(event),
    },
    stop,
    controller.signal,
  );
  return { outcome, events, controller, stop };
}

describe('a stop that takes one path after another', () => {
  test('ends with the first that makes it durable, and asks nobody else', async () => {
    let asked = 0;
    const other = await api('other', (request, response) => ((asked += 1), says(durable)(request, response)));
    const keeper = new Shelf();
    const { outcome, events } = take(
      [await api('api', says(durable)), other],
      { stepMs: 5_000, pathMs: 10_000 },
      keeper,
    );
    expect(await outcome).toMatchObject({ kind: 'durable', path: 'api', revision: 7 });
    expect(asked).toBe(0);
    expect(events).toEqual([{ kind: 'path', path: 'api', state: { kind: 'durable', revision: 7 } }]);
    expect([keeper.kept.length, keeper.dropped]).toEqual([1, 1]);
  });

  test.each<[string, () => Promise<HaltPath>]>([
    ['is down', () => Promise.resolve(DEAD)],
    ['hangs', () => api('first', hangs)],
    [
      'takes the connection and says nothing',
      async () => {
        const port = await listening(createTcpServer(() => undefined));
        return haltByApi({ name: 'first', url: `http://127.0.0.1:${port}`, stopKey: 'k' });
      },
    ],
    [
      'breaks off',
      () => api('first', (_request, response) => void response.writeHead(200).write('{', () => response.destroy())),
    ],
    ['refuses the key', () => api('first', says(problem(401, 'the key is none that may stop')))],
    ['fails', () => api('first', says(problem(500)))],
    ['has no room', () => api('first', says(problem(429)))],
    [
      'answers as another server does',
      () =>
        api(
          'first',
          says(() => [200, { status: 'ok' }]),
        ),
    ],
    [
      'answers for another stop',
      () =>
        api(
          'first',
          says(() => durable('somebody-elses')),
        ),
    ],
    [
      'sends us elsewhere',
      () =>
        api(
          'first',
          (_request, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/halt' }).end(),
        ),
    ],
    [
      'answers without an end',
      () =>
        api('first', (_request, response) => {
          response.writeHead(200);
          const more = (): void => void (response.destroyed || response.write('x'.repeat(65_536), more));
          more();
        }),
    ],
  ])('goes on to the next when one %s', async (_what, first) => {
    const { outcome } = take([await first(), await api('second', says(durable))]);
    expect(await outcome).toMatchObject({ kind: 'durable', path: 'second', revision: 7 });
  });

  test('is sent over each path as the same flip', async () => {
    const seen: { text: string; signature: string | null }[] = [];
    const remembering: RequestListener = (request, response) => {
      void bodyOf(request).then((body) => {
        seen.push(body);
        response.writeHead(500).end('{}');
      });
    };
    const paths = [await api('one', remembering), await api('two', remembering), await api('three', says(durable))];
    const { outcome, stop } = take(paths);
    await outcome;
    expect(seen.slice(0, 2)).toEqual([stop, stop]);
  });

  test('takes the late answer of one that it no longer waited for', async () => {
    const late = await api('late', (request, response) => void setTimeout(() => says(durable)(request, response), 250));
    const { outcome, events } = take([late, FILE], { pathMs: 5_000 });
    expect(await outcome).toMatchObject({ kind: 'durable', path: 'late' });
    expect(events.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['slow late', 'path file', 'path late']);
  });

  test('does not end with a path that only made it provisional', async () => {
    const { outcome } = take([await api('api', says(provisional)), FILE, await api('store', says(durable))]);
    const ended = await outcome;
    expect(ended).toMatchObject({ kind: 'durable', path: 'store' });
    expect([...ended.paths.values()].map(({ kind }) => kind)).toEqual(['provisional', 'provisional', 'durable']);
  });

  test('goes on with whoever has it until that one has made it durable, and says who did', async () => {
    let asked = 0;
    const keeper = new Shelf();
    const first = await api('api', (request, response) => {
      asked += 1;
      says(asked < 3 ? provisional : durable)(request, response);
    });
    const { outcome, events } = take([first, DEAD, FILE], {}, keeper);
    expect(await outcome).toMatchObject({ kind: 'durable', path: 'api', revision: 7 });
    expect([asked, keeper.dropped]).toEqual([3, 1]);
    // The same word again is no news.
    expect(
      events.filter(({ path }) => path === 'api').map((event) => event.kind === 'path' && event.state.kind),
    ).toEqual(['provisional', 'durable']);
  });

  test('is durable by another path while the first one only has it', async () => {
    let asked = 0;
    const back = await api('store', (request, response) => {
      asked += 1;
      says(asked < 4 ? problem(503) : durable)(request, response);
    });
    const { outcome } = take([await api('api', says(provisional)), back]);
    expect(await outcome).toMatchObject({ kind: 'durable', path: 'store' });
  });

  test('is kept when the one who had it is gone by the end', async () => {
    let asked = 0;
    const dies = await api('api', (request, response) => {
      asked += 1;
      if (asked === 1) says(provisional)(request, response);
      else response.destroy();
    });
    const { outcome } = take([dies], { giveUpMs: 400 });
    expect(await outcome).toMatchObject({ kind: 'kept', end: 'given-up', keptAt: '/kept/1' });
  });

  test('leaves itself with whoever stays, once the time is up', async () => {
    const keeper = new Shelf();
    const { outcome } = take([await api('api', says(provisional)), DEAD, FILE], { giveUpMs: 500 }, keeper);
    expect(await outcome).toMatchObject({
      ...{ kind: 'resident', end: 'given-up', path: 'api' },
      says: 'not durable (the store is away); reached: api; kept at /spool/1; it is sent again until it is stored',
    });
    expect(keeper.dropped).toBe(1);
  });

  test('stays until a path that was down takes it', async () => {
    let asked = 0;
    const back = await api('back', (request, response) => {
      asked += 1;
      says(asked < 4 ? problem(503, 'the store is away') : durable)(request, response);
    });
    const { outcome, events } = take([back, FILE]);
    expect(await outcome).toMatchObject({ kind: 'durable', path: 'back', revision: 7 });
    expect(asked).toBe(4);
    // The same failure again is no news.
    expect(events.filter(({ path }) => path === 'back')).toHaveLength(2);
  });

  test('ends when everybody refuses for good, and says where it is kept', async () => {
    const keeper = new Shelf();
    const { outcome } = take([await api('api', says(problem(403, 'a release key cannot stop'))), FILE], {}, keeper);
    const ended = await outcome;
    expect(ended).toMatchObject({ kind: 'kept', end: 'refused', keptAt: '/kept/1' });
    expect(ended.paths.get('api')).toMatchObject({ why: expect.stringMatching(/403: a release key cannot stop$/) });
    expect(keeper.dropped).toBe(0);
  });

  test('gives up after its bound, and says where it is kept', async () => {
    const { outcome } = take([DEAD], { giveUpMs: 200 });
    expect(await outcome).toMatchObject({ kind: 'kept', end: 'given-up', keptAt: '/kept/1' });
  });

  test('says what is so when whoever asked has had enough', async () => {
    const { outcome, controller, events } = take([await api('api', hangs), FILE], { pathMs: 10_000 });
    await expect.poll(() => events.some(({ path }) => path === 'file')).toBe(true);
    controller.abort();
    const ended = await outcome;
    expect(ended).toMatchObject({ kind: 'kept', end: 'interrupted', keptAt: '/kept/1' });
    expect([...ended.paths.values()].map(({ kind }) => kind)).toEqual(['asked', 'provisional']);
  });

  test('asks nobody when it was interrupted before it began', async () => {
    const keeper = new Shelf();
    const outcome = await takeStop(
      { paths: [FILE], keeper, clock: systemClock, timings: QUICK },
      { text: stopText('ns'), signature: null },
      AbortSignal.abort(),
    );
    expect(outcome).toMatchObject({ kind: 'kept', end: 'interrupted' });
    expect(outcome.paths.size).toBe(0);
  });

  test('is not kept waiting by a disk that hangs or is full', async () => {
    const hanging: StopKeeper = { keep: () => new Promise<string>(() => undefined), drop: () => Promise.resolve() };
    const { outcome } = take([await api('api', says(durable))], {}, hanging);
    expect(await outcome).toMatchObject({ kind: 'durable' });
    const full: StopKeeper = { keep: () => Promise.reject(new Error('ENOSPC')), drop: () => Promise.resolve() };
    expect(await take([DEAD], { giveUpMs: 100 }, full).outcome).toMatchObject({ keptAt: null, notKept: 'ENOSPC' });
  });

  test('asks each of them once before it gives up, also when the first ones hang and there is little time', async () => {
    const [one, other] = [await api('api', hangs), await api('another', hangs)];
    const { paths } = await take([one, other, FILE], { stepMs: 10_000, pathMs: 10_000, giveUpMs: 900 }).outcome;
    expect([...paths.keys()]).toEqual(['api', 'another', 'file']);
    expect(paths.get('file')).toMatchObject({ kind: 'provisional' });
  });

  test('is kept by a disk that is slow while the paths are tried, and dropped from there when it is durable', async () => {
    const slow = new Shelf();
    slow.keep = () => new Promise((resolve) => void systemClock.after(400, () => resolve('/kept/slow')));
    const given = { giveUpMs: 600, keepMs: 200 };
    expect(await take([DEAD], given, slow).outcome).toMatchObject({
      kind: 'kept',
      keptAt: '/kept/slow',
      notKept: null,
    });
    const late: HaltPath = {
      name: 'late',
      take: () =>
        new Promise((resolve) => void systemClock.after(300, () => resolve({ kind: 'durable', revision: 1 }))),
    };
    expect(await take([late], given, slow).outcome).toMatchObject({ kind: 'durable' });
    expect(slow.dropped).toBe(1);
  });

  test('survives a path that throws where nobody expects it, and one that never ends', async () => {
    const throws: HaltPath = {
      name: 'throws',
      take: (): Promise<PathTook> => {
        throw new KilldrillError('STORE_FORBIDDEN', 'no rights');
      },
    };
    const never: HaltPath = { name: 'never', take: () => new Promise<PathTook>(() => undefined) };
    const { outcome } = take([throws, never, await api('api', says(durable))]);
    const ended = await outcome;
    expect(ended).toMatchObject({ kind: 'durable', path: 'api' });
    expect(ended.paths.get('throws')).toEqual({ kind: 'failed', why: 'no rights', final: true });
  });
});

describe('the path over the API', () => {
  test('shows its key to the API, and to nobody else', async () => {
    let key: string | undefined;
    const path = await api(
      'api',
      (request, response) => {
        key = request.headers['x-api-key'] as string;
        response.writeHead(401).end(JSON.stringify({ detail: 'no' }));
      },
      'the-secret',
    );
    const { outcome, events } = take([path]);
    const ended = await outcome;
    expect(key).toBe('the-secret');
    expect(JSON.stringify([ended, [...ended.paths], events])).not.toContain('the-secret');
  });

  test.each(['', 'nowhere', 'ftp://host', 'http://user:secret@host'])('is not there for the URL %j', (url) => {
    expect(() => haltByApi({ name: 'api', url, stopKey: 'k' })).toThrow(/^the control URL cannot be used; expected/);
    expect(() => haltByApi({ name: 'api', url, stopKey: 'k' })).not.toThrow(/secret/);
  });

  test('is not there for a key that no header carries', () => {
    const made = (): HaltPath => haltByApi({ name: 'api', url: 'http://h', stopKey: 'secret\n' });
    expect(made).toThrow(/^the stop key holds characters/);
    expect(made).not.toThrow(/secret/);
  });
});
