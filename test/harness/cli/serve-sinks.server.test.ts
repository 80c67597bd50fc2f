import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { askFor, postOf } from '../../src/control/api/api-rig.ts';
import type { Answer } from '../../src/control/api/api-rig.ts';
import { serveEach } from './serve-each.ts';
import type { ServeGround } from './serve-each.ts';
import type { ServedProcess } from './served-process.ts';

vi.setConfig({ testTimeout: 240_000 });
const SOON = { timeout: 60_000, interval: 50 };
const namespace = 'payments';
let folder: string;
let serve: ServeGround['serve'];

serveEach(namespace, (ground) => ({ folder, serve } = ground));

const halt = (at: ServedProcess, id: string): Promise<Answer> =>
  askFor(`${at.url}/halt`, postOf({ id, scope: 'run', target: id, reason: 'x' }, 'a-stop-key'));

interface Line {
  readonly revision: number;
  readonly text: string;
}
const linesOf = (text: string): readonly Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
const inFile = (): readonly Line[] => {
  const path = join(folder, 'flips.jsonl');
  return existsSync(path) ? linesOf(readFileSync(path, 'utf8')) : [];
};

/** Somebody who is told, and may be away. */
async function hook() {
  const told: number[] = [];
  const state = { isAway: true };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (!state.isAway) told.push(...linesOf(body).map(({ revision }) => revision));
      response.writeHead(state.isAway ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { told, state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a-secret-path` };
}

describe('killdrill serve --sink', () => {
  it('tells every sink every flip; one that is away holds up neither stops nor others, and is told how far behind it is', async () => {
    const { told, state, url } = await hook();
    const api = await serve(['--sink', 'jsonl:flips.jsonl', '--sink', `webhook:${url}`]);
    for (const id of ['one', 'two', 'three']) expect((await halt(api, id)).status).toBe(200);
    await vi.waitFor(() => expect(inFile().map(({ revision }) => revision)).toEqual([1, 2, 3]), SOON);
    const status = async () => (await askFor(`${api.url}/status`, {})).json['sinks'];
    await vi.waitFor(
      async () =>
        expect(await status()).toMatchObject([
          { told: 3, behind: 0, error: null },
          { told: 0, behind: 3, error: expect.stringMatching(/answered 503/) as string },
        ]),
      SOON,
    );
    const metrics = (await askFor(`${api.url}/metrics`, {})).text;
    expect(metrics).toMatch(/killdrill_sink_behind\{sink="webhook 127\.0\.0\.1:\d+"\} 3/);
    state.isAway = false;
    await vi.waitFor(() => expect(told).toEqual([1, 2, 3]), SOON);
    expect(`${JSON.stringify(await status())}${metrics}${api.said()}`).not.toContain('a-secret-path');
    expect(await api.end('SIGTERM')).toBe(0);
  });

  it('goes on from where it was after a kill -9, with nothing left out and nothing out of order', async () => {
    let count = 0;
    for (let life = 0; life < 3; life += 1) {
      const api = await serve(['--sink', 'jsonl:flips.jsonl']);
      for (let nth = 0; nth < 20; nth += 1) expect((await halt(api, `stop-${(count += 1)}`)).status).toBe(200);
      await api.end('SIGKILL');
    }
    const api = await serve(['--sink', 'jsonl:flips.jsonl']);
    const revisions = (): readonly number[] => inFile().map(({ revision }) => revision);
    await vi.waitFor(() => expect(revisions()).toContain(60), SOON);
    expect([...new Set(revisions())]).toEqual(Array.from({ length: 60 }, (_, nth) => nth + 1));
    expect(await api.end('SIGTERM')).toBe(0);
  });
});
