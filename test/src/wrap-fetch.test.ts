import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getEventListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { HaltedError } from '../../src/halted-error.ts';
import type { WrapFetchOptions } from '../../src/wrap-fetch.ts';
import { outcomeOfStatus } from '../../src/wrap-fetch.ts';
import { Fate } from './fate.ts';
import { GateRig } from './gate-rig.ts';
import { settled } from './manual-clock.ts';

const RUN = { run: 'r1', agent: 'a1', tenant: 'acme', feature: 'chat' };
const OPTIONS: WrapFetchOptions = { deadlineMs: 60_000 };
const MIB = 1 << 20;

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

let server: Server;
let origin: string;
let host: string;
let seen: Seen[] = [];
/** Paths whose connection was closed before the answer had ended. */
let cut: string[] = [];
let uploaded = 0;

const ANSWERS: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  '/stream': (_, response) => response.writeHead(200).write('first piece'),
  '/never': () => undefined,
  '/broken': (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('ten bytes.');
    setImmediate(() => response.destroy());
  },
  '/moved': (_, response) => response.writeHead(302, { location: '/elsewhere' }).end('moved'),
  '/repeat-there': (_, response) => response.writeHead(307, { location: 'http://other.example/there?x=1' }).end(),
  // a byte that is no UTF-8
  '/phrase': (_, response) => response.writeHead(404, 'N\u00e9ant').end('nothing'),
  '/nothing': (_, response) => response.writeHead(204).end(),
  '/echo': (request, response) => request.pipe(response),
  '/big': (_, response) => {
    let left = 96;
    const more = (): void => {
      while (left > 0) {
        left -= 1;
        if (!response.write(Buffer.alloc(MIB))) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  },
};

beforeAll(async () => {
  server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    seen.push({ method, path, headers });
    request.on('data', (chunk: Buffer) => (uploaded += chunk.length)).on('error', () => undefined);
    response.once('close', () => {
      if (!response.writableFinished) cut.push(path);
    });
    const status = /^\/status\/(\d+)/.exec(path)?.[1];
    if (status !== undefined) response.writeHead(Number(status)).end('said');
    else (ANSWERS[path.replace(/\?.*/, '')] ?? ((_, fine) => fine.end('fine')))(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  origin = `http://${host}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => {
  seen = [];
  cut = [];
  uploaded = 0;
});

/** A wrapped fetch of a rig, called in a run. */
function wrapped(rig: GateRig, options: Partial<WrapFetchOptions> = {}): typeof fetch {
  const own = rig.gate.wrapFetch({ ...OPTIONS, ...options });
  return (input, init) => rig.gate.enter(RUN, () => own(input, init));
}

async function outcomes(rig: GateRig, ...kinds: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(rig.recorded.map(({ kind }) => kind)).toEqual(kinds));
  expect([rig.inFlight.count, rig.inFlight.unconfirmed(), rig.clock.timerCount]).toEqual([0, [], 0]);
}

describe('a request through a wrapped fetch', () => {
  it('is an effect of its method and host, with a key that it carries when it writes', async () => {
    const rig = new GateRig();
    const answer = await wrapped(rig, { newKey: () => 'made-1' })(`${origin}/a?b=1`, { method: 'post', body: 'x' });
    expect([answer.status, answer.url, answer.redirected, await answer.text()]).toEqual([
      200,
      `${origin}/a?b=1`,
      false,
      'fine',
    ]);
    await outcomes(rig, 'landed');
    expect(rig.sent.flat()).toMatchObject([
      { capability: `write/http/${host}`, access: 'write', idempotencyKey: 'made-1', deadlineMs: 60_000, run: 'r1' },
    ]);
    expect(seen).toMatchObject([{ method: 'POST', path: '/a?b=1', headers: { 'idempotency-key': 'made-1' } }]);
  });

  it('is a read for GET and HEAD, which carry no key', async () => {
    const rig = new GateRig();
    const send = wrapped(rig);
    expect(await (await send(new URL(origin))).text()).toBe('fine');
    expect((await send(origin, { method: 'HEAD' })).status).toBe(200);
    await outcomes(rig, 'landed', 'landed');
    expect(rig.sent.flat()).toMatchObject([{ capability: `read/http/${host}` }, { access: 'read' }]);
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual([undefined, undefined]);
  });

  it("keeps the caller's own key", async () => {
    const rig = new GateRig();
    const headers = [['Idempotency-Key', 'mine']] as [string, string][];
    await wrapped(rig)(origin, { method: 'PUT', headers });
    await outcomes(rig, 'landed');
    expect(rig.sent.flat()).toMatchObject([{ idempotencyKey: 'mine' }]);
    expect(seen).toMatchObject([{ headers: { 'idempotency-key': 'mine' } }]);
  });

  it('is what effectOf says; the key that is journaled is the key that is sent', async () => {
    const rig = new GateRig();
    const effectOf: WrapFetchOptions['effectOf'] = ({ url, headers }) => ({
      capability: url.pathname === '/chat' ? 'model/chat' : 'tool/other',
      idempotencyKey: `${headers.get('x-order')}/1`,
      deadlineMs: 5_000,
    });
    const headers = { 'x-order': 'o7', 'idempotency-key': 'older', 'content-type': 'application/json' };
    await wrapped(rig, { effectOf })(new Request(`${origin}/chat`, { method: 'POST', body: '{}', headers }));
    await outcomes(rig, 'landed');
    expect(rig.sent.flat()).toMatchObject([
      { capability: 'model/chat', access: 'write', idempotencyKey: 'o7/1', deadlineMs: 5_000 },
    ]);
    expect(seen).toMatchObject([
      { headers: { 'idempotency-key': 'o7/1', 'x-order': 'o7', 'content-type': 'application/json' } },
    ]);
  });

  it('may be a Request with a body, or stream one up', async () => {
    const rig = new GateRig();
    const send = wrapped(rig);
    const text = await send(new Request(`${origin}/echo`, { method: 'POST', body: 'of a request' }));
    expect(await text.text()).toBe('of a request');
    const body = ReadableStream.from(['in ', 'pieces'].map((piece) => new TextEncoder().encode(piece)));
    const streamed = await send(`${origin}/echo`, { method: 'POST', body, duplex: 'half' });
    expect(await streamed.text()).toBe('in pieces');
    await outcomes(rig, 'landed', 'landed');
  });

  it('names one host in one way: a dot at its end changes nothing', async () => {
    const rig = new GateRig();
    const nowhere = (): Promise<Response> => Promise.resolve(new Response('there'));
    await wrapped(rig, { fetch: nowhere })('https://API.example.:443/x');
    await outcomes(rig, 'landed');
    expect(rig.sent.flat()).toMatchObject([{ capability: 'read/http/api.example' }]);
  });

  it.each([
    ['data:text/plain,x', /scheme 'data:'; expected http: or https:/],
    ['/no/host', /Invalid URL/],
  ])('is refused for the URL %s', async (url, message) => {
    const rig = new GateRig();
    await expect(wrapped(rig)(url)).rejects.toThrow(message);
    expect(rig.sent).toEqual([]);
  });

  it('is refused outside of a run, and without a deadline', async () => {
    const rig = new GateRig();
    await expect(rig.gate.wrapFetch(OPTIONS)(origin)).rejects.toMatchObject({ code: 'NO_RUN' });
    const without = {} as WrapFetchOptions;
    await expect(rig.gate.enter(RUN, () => rig.gate.wrapFetch(without)(origin))).rejects.toMatchObject({
      code: 'EFFECT_INVALID',
    });
    expect(seen).toEqual([]);
  });
});

describe('what an answer says of its effect', () => {
  it.each([
    [200, 'landed'],
    [303, 'landed'],
    [304, 'landed'],
    [307, 'failed'],
    [404, 'failed'],
    [408, 'unknown'],
    [409, 'unknown'],
    [429, 'failed'],
    [500, 'unknown'],
    [503, 'unknown'],
  ])('%d: %s', async (status, kind) => {
    expect(outcomeOfStatus({ status })).toBe(kind);
    const rig = new GateRig();
    const answer = await wrapped(rig)(`${origin}/status/${status}`, { method: 'POST' });
    expect(answer.status).toBe(status);
    await outcomes(rig, kind);
  });

  it('comes through as it was sent, also where no Response can be made with it', async () => {
    const rig = new GateRig();
    const send = wrapped(rig);
    for (const path of ['/status/999', '/phrase']) {
      const [plain, own] = [await fetch(origin + path), await send(origin + path)];
      const shown = ({ status, statusText, ok, url, type }: Response) => ({ status, statusText, ok, url, type });
      expect(shown(own)).toEqual(shown(plain));
      expect(await own.text()).toBe(await plain.text());
    }
    await outcomes(rig, 'unknown', 'failed');
  });

  it('is what outcomeOf makes of it', async () => {
    const rig = new GateRig();
    const send = wrapped(rig, { outcomeOf: ({ status }) => (status === 503 ? 'failed' : 'landed') });
    expect(await (await send(`${origin}/status/503`)).text()).toBe('said');
    await outcomes(rig, 'failed');
  });

  it('is unknown when nobody answers, or the answer breaks off', async () => {
    const rig = new GateRig();
    const send = wrapped(rig);
    await expect(send('http://127.0.0.1:1/')).rejects.toThrow('fetch failed');
    const answer = await send(`${origin}/broken`);
    await expect(answer.text()).rejects.toThrow('terminated');
    await outcomes(rig, 'unknown', 'unknown');
  });

  it('does not follow to where nobody asked the gate, unless told to', async () => {
    const rig = new GateRig();
    const send = wrapped(rig);
    const refused = send(`${origin}/repeat-there?secret=1`, { method: 'POST' });
    await expect(refused).rejects.toMatchObject({
      code: 'FETCH_REDIRECTED',
      message: expect.stringMatching(/status 307 and a redirect to http:\/\/other\.example\/there; only 127/) as string,
    });
    await expect(send(`${origin}/moved`)).rejects.toMatchObject({ code: 'FETCH_REDIRECTED' });
    const answer = await send(`${origin}/moved`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/elsewhere']);
    await expect(send(`${origin}/moved`, { redirect: 'error' })).rejects.toThrow('fetch failed');
    const followed = await wrapped(rig, { redirects: 'follow' })(`${origin}/moved`);
    expect([followed.url, followed.redirected]).toEqual([`${origin}/elsewhere`, true]);
    await outcomes(rig, 'failed', 'unknown', 'landed', 'unknown', 'landed');
    expect(seen.filter(({ path }) => path === '/elsewhere')).toHaveLength(1);
  });
});

describe('a stop', () => {
  it('ends a stream in its middle, for its reader and on the wire', async () => {
    const rig = new GateRig();
    const answer = await wrapped(rig)(`${origin}/stream`, { method: 'POST' });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('first piece');
    expect([rig.inFlight.count, rig.recorded]).toEqual([1, []]);
    const next = new Fate(reader.read());
    rig.stop({ scope: 'tenant', target: 'acme' });
    await settled();
    expect(next.error).toBeInstanceOf(HaltedError);
    await vi.waitFor(() => expect(cut).toEqual(['/stream']));
    await outcomes(rig, 'unknown');
  });

  it('errors what has arrived and was not read yet', async () => {
    const rig = new GateRig();
    const answer = await wrapped(rig)(`${origin}/stream`);
    await vi.waitFor(() => expect(rig.inFlight.count).toBe(1));
    rig.stop({ scope: 'tenant', target: 'acme' });
    await expect(answer.text()).rejects.toBeInstanceOf(HaltedError);
    await vi.waitFor(() => expect(cut).toEqual(['/stream']));
    await outcomes(rig, 'unknown');
  });

  it('ends a call that nobody has answered, and refuses the next with the same error, unsent', async () => {
    const rig = new GateRig();
    const { first, again } = await rig.gate.enter(RUN, async () => {
      const send = rig.gate.wrapFetch(OPTIONS);
      const open = new Fate(send(`${origin}/never`));
      await vi.waitFor(() => expect(seen).toHaveLength(1));
      rig.stop({ scope: 'tenant', target: 'acme' });
      await settled();
      return { first: open, again: new Fate(send(`${origin}/again`)) };
    });
    await settled();
    expect(first.error).toBeInstanceOf(HaltedError);
    expect(again.error).toBe(first.error);
    await vi.waitFor(() => expect(cut).toEqual(['/never']));
    await outcomes(rig, 'unknown');
    expect(seen.map(({ path }) => path)).toEqual(['/never']);
  });

  it('ends an upload', async () => {
    const rig = new GateRig();
    let left = false;
    const body = new ReadableStream({
      pull: async (controller) => {
        await settled();
        controller.enqueue(new Uint8Array(1_000));
      },
      cancel: () => {
        left = true;
      },
    });
    const fate = new Fate(wrapped(rig)(`${origin}/never`, { method: 'POST', body, duplex: 'half' }));
    await vi.waitFor(() => expect(uploaded).toBeGreaterThan(1_000));
    rig.stop({ scope: 'tenant', target: 'acme' });
    await vi.waitFor(() => expect(fate.error).toBeInstanceOf(HaltedError));
    await vi.waitFor(() => expect([left, cut]).toEqual([true, ['/never']]));
    await outcomes(rig, 'unknown');
  });

  it('does not touch what has arrived to its end', async () => {
    const rig = new GateRig();
    const answer = await wrapped(rig)(origin, { method: 'POST' });
    await outcomes(rig, 'landed');
    rig.stop({ scope: 'tenant', target: 'acme' });
    expect(await answer.text()).toBe('fine');
  });

  it('ends a thousand at once, with no listener left and none warned of', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): number => warnings.push(warning);
    process.on('warning', warned);
    const rig = new GateRig();
    const own = rig.gate.wrapFetch(OPTIONS);
    const { signal } = new AbortController();
    const fates = await rig.gate.enter(RUN, async () => {
      const all = Array.from({ length: 1_000 }, (_, index) => {
        const asked = own(origin + (index % 2 === 0 ? '/never' : '/stream'), { method: 'POST', signal });
        return new Fate(asked.then((answer) => answer.text()));
      });
      await vi.waitFor(() => expect(seen).toHaveLength(1_000), { timeout: 30_000 });
      return all;
    });
    expect([rig.inFlight.count, getEventListeners(signal, 'abort').length]).toEqual([1_000, 1]);
    rig.stop({ scope: 'tenant', target: 'acme' });
    await vi.waitFor(() => expect(fates.every(({ error }) => error instanceof HaltedError)).toBe(true));
    await vi.waitFor(() => expect(cut).toHaveLength(1_000), { timeout: 30_000 });
    await vi.waitFor(() => expect(rig.recorded).toHaveLength(1_000));
    expect(rig.recorded.every(({ kind }) => kind === 'unknown')).toBe(true);
    expect([rig.inFlight.count, rig.clock.timerCount]).toEqual([0, 0]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await settled();
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });
});

describe("the caller's own signal", () => {
  it('ends the call with its reason, before and after the response', async () => {
    const rig = new GateRig();
    const [first, second] = [new AbortController(), new AbortController()];
    const fate = new Fate(wrapped(rig)(`${origin}/never`, { signal: first.signal }));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    first.abort(new Error('I have changed my mind'));
    await vi.waitFor(() => expect(fate.now).toBe('rejected I have changed my mind'));
    const request = new Request(`${origin}/stream`, { signal: second.signal });
    const answer = await wrapped(rig)(request);
    second.abort(new Error('enough'));
    await expect(answer.text()).rejects.toThrow('enough');
    await vi.waitFor(() => expect(cut).toEqual(['/never', '/stream']));
    await outcomes(rig, 'unknown', 'unknown');
    expect(getEventListeners(first.signal, 'abort')).toEqual([]);
  });

  it('asks the gate nothing when it has fired, and sends nothing when it fires before the gate has answered', async () => {
    const rig = new GateRig();
    await expect(wrapped(rig)(origin, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
    expect(rig.sent).toEqual([]);
    rig.holding = true;
    const controller = new AbortController();
    const fate = new Fate(wrapped(rig)(origin, { signal: controller.signal }));
    await settled();
    controller.abort(new Error('meanwhile'));
    await settled();
    expect(fate.now).toBe('rejected meanwhile');
    await rig.letIn();
    await outcomes(rig, 'failed');
    expect(seen).toEqual([]);
  });
});

describe('a body', () => {
  it('that nobody reads ends when it is short, and is ended by the deadline when it is long', async () => {
    const rig = new GateRig();
    const send = wrapped(rig);
    await send(origin, { method: 'POST' });
    await send(`${origin}/nothing`, { method: 'POST' });
    await outcomes(rig, 'landed', 'landed');
    const answer = await send(`${origin}/big`);
    await vi.waitFor(() => expect(rig.inFlight.count).toBe(1));
    rig.clock.advance(OPTIONS.deadlineMs);
    await outcomes(rig, 'landed', 'landed', 'unknown');
    await expect(answer.text()).rejects.toMatchObject({ code: 'DEADLINE' });
    await vi.waitFor(() => expect(cut).toEqual(['/big']));
  });

  it('that is cancelled ends its call: the connection closes, and nobody knows', async () => {
    const rig = new GateRig();
    const answer = await wrapped(rig)(`${origin}/stream`);
    await answer.body?.cancel();
    await vi.waitFor(() => expect(cut).toEqual(['/stream']));
    await outcomes(rig, 'unknown');
    expect(rig.recorded[0]?.detail).toMatch(/cancelled by its reader/);
  });

  it('of any size goes through a little at a time, and a clone of it too', async () => {
    const rig = new GateRig();
    const answer = await wrapped(rig)(`${origin}/big`);
    let bytes = 0;
    let most = 0;
    for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      most = Math.max(most, piece.length);
    }
    expect(bytes).toBe(96 * MIB);
    expect(most).toBeLessThanOrEqual(MIB);
    const twice = await wrapped(rig)(origin);
    const copy = twice.clone();
    expect([await twice.text(), await copy.text()]).toEqual(['fine', 'fine']);
    await outcomes(rig, 'landed', 'landed');
  });

  it('whose source ignores every signal is named as unconfirmed at the deadline', async () => {
    const rig = new GateRig();
    const stuck = new ReadableStream({ cancel: () => new Promise(() => undefined) });
    const answer = await wrapped(rig, { fetch: () => Promise.resolve(new Response(stuck)) })(origin);
    rig.stop({ scope: 'tenant', target: 'acme' });
    await expect(answer.text()).rejects.toBeInstanceOf(HaltedError);
    expect(rig.inFlight.count).toBe(1);
    rig.clock.advance(OPTIONS.deadlineMs);
    expect(rig.inFlight.unconfirmed()).toMatchObject([{ run: 'r1' }]);
    await vi.waitFor(() => expect(rig.recorded).toMatchObject([{ kind: 'unknown' }]));
  });
});
