import { describe, expect, it } from 'vitest';
import { readDetectors } from '../../../src/detect/config.ts';
import { detectInRows } from '../../../src/detect/journal-rows.ts';
import type { JournalRow } from '../../../src/detect/journal-rows.ts';
import type { AlertDraft } from '../../../src/detect/alert-draft.ts';

const config = readDetectors(
  {
    detector: 'beside',
    repeatMs: 1_000,
    rules: [{ kind: 'write-rate', per: 'tenant', windowMs: 1_000, perSecond: 5 }],
  },
  'the test',
);

const BEGIN_MS = Date.parse('2026-01-31T12:00:00Z');
const row = (atMs: number, more: Partial<JournalRow> = {}): JournalRow => ({
  ...{ tenant: 'acme', feature: null, agent: 'a1', run: 'r1', capability: 'write/mail', access: 'write' },
  at: new Date(BEGIN_MS + atMs).toISOString(),
  ...more,
});
const every = (ms: number, count: number, fromMs = 0): readonly JournalRow[] =>
  Array.from({ length: count }, (_, n) => row(fromMs + n * ms));

async function detect(rows: AsyncIterable<JournalRow> | Iterable<JournalRow>, signal?: AbortSignal) {
  const drafts: AlertDraft[] = [];
  const port = { raise: async (draft: AlertDraft) => void drafts.push(draft) };
  return { drafts, seen: await detectInRows(rows, config, port, signal) };
}

describe('detectors over rows of a journal', () => {
  it('judge by the times of the rows: what is read at once is no rush', async () => {
    const { drafts, seen } = await detect(every(500, 1_000));
    expect(drafts).toEqual([]);
    expect(seen).toEqual({ rows: 1_000, unreadable: 0, firstUnreadable: null, red: [] });
  });

  it('raise at the row that makes a rate red, again while it is red, and say what is red at the end', async () => {
    const { drafts, seen } = await detect([...every(500, 10), ...every(50, 50, 5_000)]);
    expect(drafts.length).toBeGreaterThan(1);
    expect(drafts[0]).toMatchObject({
      detector: 'beside',
      scope: 'tenant',
      target: 'acme',
      evidence: { threshold: 5 },
    });
    expect(seen.red).toMatchObject([{ target: 'acme' }]);
  });

  it('take rows of several processes that come a little out of order', async () => {
    const inOrder = every(50, 20);
    const rows = inOrder.flatMap((_, n) => inOrder[n ^ 1] ?? []); // 1, 0, 3, 2, …
    expect((await detect(rows)).drafts[0]).toMatchObject({ target: 'acme' });
  });

  it('go on behind a row that nobody can read, and say why the first was none', async () => {
    const bad = [row(0, { at: 'yesterday' }), row(0, { capability: '' })];
    const { drafts, seen } = await detect([...bad, ...every(10, 5)]);
    expect(drafts).toHaveLength(1);
    expect(seen).toMatchObject({ rows: 7, unreadable: 2, firstUnreadable: expect.stringMatching(/'yesterday'/) });
  });

  it('end with their stream, at their signal, or with what the stream throws', async () => {
    async function* stream(): AsyncGenerator<JournalRow> {
      yield* every(10, 3);
      throw new Error('the store is away');
    }
    await expect(detect(stream())).rejects.toThrow('the store is away');
    const { seen } = await detect(every(10, 3), AbortSignal.abort());
    expect(seen.rows).toBe(0);
  });
});
