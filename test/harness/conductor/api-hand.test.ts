import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiHand } from '../../../harness/conductor/api-hand.ts';
import { startDrillClock } from '../../../harness/history/clock.ts';
import type { ReleaseFlip, StopFlip } from '../../../src/switch.ts';

type Reply = { readonly status: number; readonly body: unknown } | 'nothing';

const COMMON = {
  namespace: 'ns',
  reason: 'r',
  triggeredBy: 'drill',
  source: 'x',
  at: '2026-01-01T00:00:00.000Z',
} as const;
const ON = { scope: 'tenant', target: 'acme' } as const;
const STOP: StopFlip = { kind: 'stop', id: 'stop-1', ...ON, mode: 'halt_all', queue: 'park', ...COMMON };
const RELEASE: ReleaseFlip = { kind: 'release', id: 'unused', ...ON, engagements: ['stop-1'], ...COMMON };
const KEYS = { stop: 'the stop key', release: 'the release key' };
const NOT_OPEN = { status: 409, body: { code: 'ENGAGEMENT_NOT_OPEN', detail: "'stop-1' is not open" } };

let server: Server;
let replies: Reply[];
let asked: { readonly url: string; readonly key: unknown; readonly body: unknown }[];
let closing: { readonly id: string; readonly revision: number } | null;

beforeEach(async () => {
  [replies, asked, closing] = [[], [], null];
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      asked.push({ url: request.url ?? '', key: request.headers['x-api-key'], body: JSON.parse(text) as unknown });
      const reply = replies.shift() ?? 'nothing';
      if (reply === 'nothing') return void request.socket.destroy();
      response.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body));
    });
  }).listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});
afterEach(() => server.close());

function hand(): ApiHand {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new ApiHand({
    address: { url, keys: KEYS },
    clock: startDrillClock(),
    closedBy: () => Promise.resolve(closing),
  });
}
const never = new AbortController().signal;

describe('a stop over the API', () => {
  it('is asked for with the stop key, and is durable by a 200', async () => {
    replies = [{ status: 200, body: { id: 'stop-1', durable: true, revision: 7 } }];
    expect(await hand().halt(STOP, never)).toMatchObject({ kind: 'durable', revision: 7, id: 'stop-1' });
    const words = { id: 'stop-1', ...ON, mode: 'halt_all', queue: 'park', reason: 'r', by: 'drill', at: COMMON.at };
    expect(asked).toEqual([{ url: '/halt', key: KEYS.stop, body: words }]);
  });

  it('is provisional by a 202, and nobody asks for it again', async () => {
    const body = { id: 'stop-1', durable: false, why: 'the store is away', reached: [], keptAt: '/spool/1' };
    replies = [{ status: 202, body }];
    const told = { kind: 'provisional', why: 'the store is away', reached: [], kept: true };
    expect(await hand().halt(STOP, never)).toMatchObject(told);
    expect(asked).toHaveLength(1);
  });

  it('without an answer is asked for again, under the same id and instant', async () => {
    replies = ['nothing', { status: 503, body: { code: 'TAKER_CLOSED', detail: 'ending' } }, 'nothing'];
    replies.push({ status: 200, body: { id: 'stop-1', durable: true, revision: 1 } });
    expect(await hand().halt(STOP, never)).toMatchObject({ kind: 'durable', revision: 1 });
    expect(asked).toHaveLength(4);
    expect(new Set(asked.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it('that is refused stays refused, in the words of the problem document', async () => {
    replies = [{ status: 403, body: { code: 'KEY_KIND', detail: 'the key is of kind release' } }];
    const told = { kind: 'refused', error: 'the key is of kind release' };
    expect(await hand().halt(STOP, never)).toMatchObject(told);
    expect(asked).toHaveLength(1);
  });

  it('that is called durable without a revision is an error, and no pass', async () => {
    replies = [{ status: 200, body: { id: 'stop-1', durable: true } }];
    await expect(hand().halt(STOP, never)).rejects.toMatchObject({ code: 'API_ANSWER' });
  });

  it('is not insisted on when the drill is interrupted', async () => {
    const abort = new AbortController();
    const taken = hand().halt(STOP, abort.signal);
    abort.abort(new Error('interrupted'));
    await expect(taken).rejects.toThrow('interrupted');
  });
});

describe('a release over the API', () => {
  it('names the engagements, with the release key, and has the id that the API made', async () => {
    replies = [{ status: 200, body: { id: 'made-there', revision: 2, closed: [] } }];
    expect(await hand().release(RELEASE, never)).toMatchObject({ kind: 'durable', revision: 2, id: 'made-there' });
    const body = { engagements: ['stop-1'], reason: 'r', by: 'drill' };
    expect(asked).toEqual([{ url: '/release', key: KEYS.release, body }]);
  });

  it('whose answer was lost is found in the record', async () => {
    replies = ['nothing', NOT_OPEN];
    closing = { id: 'made-before', revision: 2 };
    expect(await hand().release(RELEASE, never)).toMatchObject({ kind: 'durable', revision: 2, id: 'made-before' });
  });

  it('of what is not open is refused, when nothing was asked before or nobody closed it', async () => {
    replies = [NOT_OPEN];
    closing = { id: "somebody else's", revision: 2 };
    expect(await hand().release(RELEASE, never)).toMatchObject({ kind: 'refused', error: "'stop-1' is not open" });
    replies = ['nothing', NOT_OPEN];
    closing = null;
    expect(await hand().release(RELEASE, never)).toMatchObject({ kind: 'refused' });
  });
});
