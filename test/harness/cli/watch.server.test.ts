import { randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { columnsOf } from '../../../harness/report/wrap.ts';
import { doorTo } from '../../support/door.ts';
import type { StoreHandles } from '../../src/store/contract/world.ts';
import { namespaceEach } from '../../src/store/postgres/namespace-each.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { releaseText, stopText } from '../../src/store/samples.ts';
import { startCommand } from './command.ts';
import type { Started } from './command.ts';

vi.setConfig({ testTimeout: 120_000 });
const PATIENCE = { timeout: 60_000 };
let database: PreparedDatabase;
let namespace: string;
let store: StoreHandles;

namespaceEach((ground) => ({ database, namespace, store } = ground));

function watch(args: readonly string[] = [], url = database.flipperUrl): Started {
  return startCommand(['watch', ...args], { KILLDRILL_DATABASE_URL: url, KILLDRILL_NAMESPACE: namespace });
}

async function stop(target: string): Promise<string> {
  const id = randomUUID();
  await store.control.flip(stopText(namespace, { id, scope: 'tenant', target }), null);
  return id;
}

const linesOf = ({ printed }: Started): readonly string[] => printed.stdout.split('\n').slice(0, -1);

interface Line {
  readonly revision: number;
  readonly flip: { readonly kind: string; readonly target: string };
}
const flipsOf = (started: Started): readonly (readonly [number, string, string])[] =>
  linesOf(started).map((line) => {
    const { revision, flip } = JSON.parse(line) as Line;
    return [revision, flip.kind, flip.target];
  });

describe('killdrill watch', () => {
  test('shows what is open, and stops and releases as they come, until Ctrl-C', async () => {
    const first = await stop('ac\u001b[31mme');
    const watching = watch();
    await expect.poll(() => watching.printed.stdout, PATIENCE).toContain(first);
    const second = await stop('other');
    await expect.poll(() => watching.printed.stdout, PATIENCE).toContain(second);
    await store.control.flip(releaseText(namespace, [first, second], { scope: 'tenant', target: 'other' }), null);
    await expect.poll(() => watching.printed.stdout, PATIENCE).toContain('3 2026-01-01 00:01:00 RELEASE tenant:other');
    watching.child.kill('SIGINT');
    const { code, stdout, stderr } = await watching.ended;
    expect(code).toBe(130);
    expect(stderr).toBe('at revision 1, 1 engagements are open\n');
    expect(stdout).toMatch(/^1 2026-01-01 00:00:00 STOP tenant:ac\?\[31mme halt_all discard\n {4}operator: it writes/);
    expect(stdout).not.toContain('\u001b');
    for (const line of stdout.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80);
  });

  test('shows each flip once and in order, a line of JSON each, from where it is told', async () => {
    for (const target of ['a', 'b']) await stop(target);
    const watching = watch(['--since', '1', '--json']);
    await expect.poll(() => linesOf(watching).length, PATIENCE).toBe(1);
    await Promise.all(Array.from({ length: 30 }, (_, nth) => stop(`t${nth}`)));
    await expect.poll(() => linesOf(watching).length, PATIENCE).toBe(31);
    watching.child.kill('SIGTERM');
    expect((await watching.ended).code).toBe(143);
    expect(flipsOf(watching).map(([revision]) => revision)).toEqual(Array.from({ length: 31 }, (_, nth) => nth + 2));
  });

  test('says when the store is away, and leaves nothing out when it is back', async () => {
    const door = await doorTo(database.flipperUrl);
    try {
      await stop('before');
      const watching = watch(['--json'], door.url);
      await expect.poll(() => flipsOf(watching), PATIENCE).toEqual([[1, 'stop', 'before']]);
      door.shut();
      await expect.poll(() => watching.printed.stderr, PATIENCE).toMatch(/the store is away/);
      await stop('meanwhile');
      door.open();
      await expect.poll(() => flipsOf(watching).at(-1), PATIENCE).toEqual([2, 'stop', 'meanwhile']);
      await expect
        .poll(() => watching.printed.stderr, PATIENCE)
        .toMatch(/the store is back; nothing .* is left out\n$/);
      watching.child.kill('SIGINT');
      expect((await watching.ended).code).toBe(130);
    } finally {
      await door.close();
    }
  });

  test('refuses what no waiting mends', async () => {
    const nowhere = await watch(['--namespace', 'nowhere']).ended;
    expect(nowhere).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/'nowhere' is not in this database/) as string,
    });
    const late = await watch(['--since', '9']).ended;
    expect(late).toMatchObject({ code: 3, stderr: expect.stringMatching(/--since is 9, but .* revision 0/) as string });
  });
});
