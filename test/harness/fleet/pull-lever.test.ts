import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../../harness/environment/wait.ts';
import { pullLever } from '../../../harness/fleet/pull-lever.ts';
import type { LeverBody, PullParts } from '../../../harness/fleet/pull-lever.ts';
import { isAlive } from '../../support/is-alive.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const PARTS: PullParts = {
  environment: { PATH: process.env['PATH'] ?? '', WHO: 'a lever' },
  cwd: process.cwd(),
  withinMs: 20_000,
  onSpawned: () => undefined,
  signal: new AbortController().signal,
};

function command(program: string, more: Partial<PullParts> = {}) {
  return pullLever({ kind: 'command', words: [process.execPath, '-e', program] }, null, { ...PARTS, ...more });
}

async function url(status: number, answer: string, body: LeverBody = null) {
  const seen: { method: string | undefined; url: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      seen.push({ method: request.method, url: request.url, body: text });
      response.writeHead(status, { location: '/elsewhere' }).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}/stop?target=a%20b`;
  return { pulled: await pullLever({ kind: 'url', url: at }, body, PARTS), seen };
}

describe('a lever that is a command', () => {
  it('says yes by exit code 0, with what it printed, in the environment that it is given', async () => {
    expect(await command('console.log(process.env.WHO)')).toEqual({ ok: true, text: 'a lever' });
  });

  it('says no by any other, with the end of its stderr', async () => {
    const pulled = await command("console.error('nobody\\nis called acme'); process.exit(3)");
    expect(pulled).toEqual({
      ok: false,
      error: expect.stringMatching(/exit code 3: nobody\nis called acme$/) as string,
    });
  });

  it('is no shell: a word is one argument, whatever is in it', async () => {
    const words = [process.execPath, '-e', 'console.log(process.argv[1])', 'a; exit 7 $(id) `id` "'];
    expect(await pullLever({ kind: 'command', words }, null, PARTS)).toEqual({ ok: true, text: words[3] });
  });

  it('is ended when it hangs, though it ignores SIGTERM, with the children that it has started', async () => {
    const pids: number[] = [];
    const pulled = await command(
      `process.on('SIGTERM', () => {});
       const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
       console.error('child ' + child.pid); setInterval(() => {}, 1000);`,
      { withinMs: 1_500, onSpawned: (pid) => pids.push(pid) },
    );
    expect(pulled).toMatchObject({ ok: false, error: expect.stringMatching(/did not end within 1500 ms/) as string });
    const child = Number(/child (\d+)/.exec(pulled.ok ? '' : pulled.error)?.[1] ?? pids[0]);
    const gone = await waitUntil(() => ![...pids, child].some(isAlive), { boundMs: 10_000, everyMs: 5 });
    expect(gone).toBe(true);
  });

  it('is named when there is no such program', async () => {
    const pulled = await pullLever({ kind: 'command', words: ['/no/such/lever'] }, null, PARTS);
    expect(pulled).toMatchObject({
      ok: false,
      error: expect.stringMatching(/could not be started: .*ENOENT/) as string,
    });
  });

  it('keeps the end of what it floods us with, and no more', async () => {
    const pulled = await command("for (let n = 0; n < 200; n += 1) require('node:fs').writeSync(1, 'x'.repeat(65536))");
    expect(pulled.ok && pulled.text.length).toBe(4_000);
  });

  it('is ended at once when the drill is interrupted', async () => {
    const abort = new AbortController();
    const pulled = command('setInterval(() => {}, 1000)', { signal: abort.signal, onSpawned: () => abort.abort() });
    expect(await pulled).toMatchObject({ ok: false, error: expect.stringMatching(/was interrupted/) as string });
  });
});

describe('a lever that is a URL', () => {
  it('is posted to, with the words as JSON, and says yes by a 2xx', async () => {
    const { pulled, seen } = await url(202, ' done ', { scope: 'tenant', target: 'a b' });
    expect(pulled).toEqual({ ok: true, text: 'done' });
    expect(seen).toEqual([{ method: 'POST', url: '/stop?target=a%20b', body: '{"scope":"tenant","target":"a b"}' }]);
  });

  it('is asked by a GET when there is nothing to tell', async () => {
    const { seen } = await url(200, 'halt_all');
    expect(seen).toEqual([{ method: 'GET', url: '/stop?target=a%20b', body: '' }]);
  });

  it('says no by another status, with its answer', async () => {
    const { pulled } = await url(409, 'there is no such tenant');
    expect(pulled).toMatchObject({
      ok: false,
      error: expect.stringMatching(/answered 409: there is no such/) as string,
    });
  });

  it('is followed nowhere else', async () => {
    const { pulled, seen } = await url(302, '');
    expect(pulled.ok).toBe(false);
    expect(seen).toHaveLength(1);
  });

  it('says no when nobody is there, or nobody answers in time', async () => {
    const at = 'http://127.0.0.1:1/stop';
    expect(await pullLever({ kind: 'url', url: at }, null, PARTS)).toMatchObject({ ok: false });
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(
      () => server.closeAllConnections(),
      () => server.close(),
    );
    const mute = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const pulled = await pullLever({ kind: 'url', url: mute }, null, { ...PARTS, withinMs: 200 });
    expect(pulled).toMatchObject({ ok: false, error: expect.stringMatching(/did not answer within 200 ms/) as string });
  });
});
