import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { AlertDraft } from '../../../src/detect/alert-draft.ts';
import { readDetectors } from '../../../src/detect/config.ts';
import { JournalWatch } from '../../../src/detect/journal-watch.ts';
import type { JournalWatchParts } from '../../../src/detect/journal-watch.ts';
import type { JournaledEffect, JournalPage, JournalPlace, JournalSource } from '../../../src/store/journal-port.ts';

const BEGIN_MS = Date.parse('2026-01-31T12:00:00Z');
const WAIT = { timeout: 20_000, interval: 1 };
const writes = { kind: 'write-rate', per: 'tenant', windowMs: 1_000, perSecond: 5 };
const config = readDetectors({ detector: 'beside', rules: [writes] }, 'the test');
const opened: JournalWatch[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((watch) => watch.close()));
});

const effect = (atMs: number, more: Partial<JournaledEffect> = {}): JournaledEffect => ({
  ...{ tenant: 'acme', feature: null, agent: 'a1', run: 'r1', capability: 'write/mail', access: 'write' },
  atMs: BEGIN_MS + atMs,
  ...more,
});
const every = (ms: number, count: number, fromMs = 0): readonly JournaledEffect[] =>
  Array.from({ length: count }, (_, n) => effect(fromMs + n * ms));

/** Gives these pages one after another, and the last for ever. */
class Script implements JournalSource {
  readonly asked: (readonly JournalPlace[] | null)[] = [];
  readonly #pages: readonly (Partial<JournalPage> | Error)[];

  constructor(...pages: readonly (Partial<JournalPage> | Error)[]) {
    this.#pages = pages;
  }

  async page(places: readonly JournalPlace[] | null): Promise<JournalPage> {
    const page = this.#pages[Math.min(this.asked.length, this.#pages.length - 1)];
    this.asked.push(places);
    if (page instanceof Error) throw page;
    return { nowMs: BEGIN_MS, rows: [], more: false, places: [], ...page };
  }
}

function watchOver(journal: Script, parts: Partial<JournalWatchParts> = {}) {
  const drafts: AlertDraft[] = [];
  const port = { raise: async (draft: AlertDraft) => void drafts.push(draft) };
  const watch = new JournalWatch({ journal, config, port, clock: systemClock, pollMs: 1, ...parts });
  opened.push(watch);
  watch.start();
  return { watch, drafts };
}

const readTo = (journal: Script, pages: number) => vi.waitUntil(() => journal.asked.length > pages, WAIT);

describe('detectors that read the journal', () => {
  test('raise what is too much, by the times that the store gave', async () => {
    const places = [{ incarnation: 'w-1', seq: 4 }];
    const journal = new Script(
      { places },
      { rows: every(300, 20), nowMs: BEGIN_MS + 6_000 },
      { rows: every(10, 6, 9_000), nowMs: BEGIN_MS + 9_100 },
      { nowMs: BEGIN_MS + 9_150 },
    );
    const { watch, drafts } = watchOver(journal);
    await readTo(journal, 4);
    expect(journal.asked.slice(0, 2)).toEqual([null, places]);
    expect(drafts).toMatchObject([
      { detector: 'beside', scope: 'tenant', target: 'acme', mode: 'halt_all', evidence: { value: 5, threshold: 5 } },
    ]);
    await vi.waitUntil(() => watch.status().rules[0]?.delivered === 1, WAIT);
    const rule = { rule: 'write-rate-per-tenant', series: 1, forgotten: 0, red: 1, delivered: 1 };
    expect(watch.status()).toEqual({
      ...{ isReading: true, rows: 26, late: 0, behindMs: 0, raised: 1, undelivered: 0, red: 1, errors: 0 },
      ...{ lookedAgoMs: expect.any(Number), rules: [{ ...rule, raised: 1, undelivered: 0 }] },
    });
  });

  test('are green again once time has passed without a row, as the store tells it', async () => {
    const journal = new Script(
      {},
      { rows: every(10, 6), nowMs: BEGIN_MS + 100 },
      { nowMs: BEGIN_MS + 100 },
      { nowMs: BEGIN_MS + 5_000 },
    );
    const { watch, drafts } = watchOver(journal);
    await vi.waitUntil(() => journal.asked.length > 4 && watch.status().red === 0, WAIT);
    expect(drafts).toHaveLength(1);
  });

  test('raise again what is still red, also while no row comes', async () => {
    const slow = readDetectors({ detector: 'beside', rules: [{ ...writes, windowMs: 10_000, perSecond: 0.5 }] }, 'x');
    const journal = new Script(
      {},
      { rows: every(10, 5), nowMs: BEGIN_MS + 100 },
      { nowMs: BEGIN_MS + 1_500 },
      { nowMs: BEGIN_MS + 3_000 },
    );
    const { drafts } = watchOver(journal, { config: slow });
    await readTo(journal, 4);
    expect(drafts).toHaveLength(3);
  });

  test('take a page that is not the last for what it is, and no rush for what was behind', async () => {
    const journal = new Script(
      {},
      { rows: every(400, 40), more: true, nowMs: BEGIN_MS + 60_000 },
      { rows: every(400, 40, 16_000), more: true, nowMs: BEGIN_MS + 60_100 },
      { nowMs: BEGIN_MS + 60_200 },
    );
    const { watch, drafts } = watchOver(journal, { pollMs: 5 });
    await readTo(journal, 4);
    expect([drafts, watch.status().behindMs]).toEqual([[], 0]);
  });

  test('leave out what comes much later than it was made', async () => {
    const journal = new Script(
      { nowMs: BEGIN_MS + 60_000 },
      { rows: every(10, 50), nowMs: BEGIN_MS + 60_100 },
      { nowMs: BEGIN_MS + 60_200 },
    );
    const { watch, drafts } = watchOver(journal);
    await readTo(journal, 3);
    expect([drafts.length, watch.status().late]).toEqual([0, 50]);
  });

  test('live through a store that is away, say so once, and go on where they were', async () => {
    const places = [{ incarnation: 'w-1', seq: 4 }];
    const said: string[] = [];
    const away = new Error('away');
    const journal = new Script({ places }, away, away, { places }, { places });
    const { watch } = watchOver(journal, { onError: ({ message }) => said.push(message) });
    await vi.waitUntil(() => !watch.status().isReading && journal.asked.length > 1, WAIT);
    await readTo(journal, 4);
    expect([said, journal.asked[3]]).toEqual([['away'], places]);
    expect(watch.status()).toMatchObject({ isReading: true, errors: 2 });
  });

  test('count alerts that the bus did not take by their rule', async () => {
    const journal = new Script({}, { rows: every(10, 6), nowMs: BEGIN_MS + 100 }, { nowMs: BEGIN_MS + 100 });
    const { watch } = watchOver(journal, { port: { raise: () => Promise.reject(new Error('no bus')) } });
    await vi.waitUntil(() => watch.status().rules[0]?.undelivered === 1, WAIT);
    expect(watch.status().rules[0]).toMatchObject({ raised: 1, delivered: 0 });
  });

  test('read on behind a row that no switch could have', async () => {
    const said: string[] = [];
    const journal = new Script({}, { rows: [effect(0, { tenant: '' }), ...every(10, 6)], nowMs: BEGIN_MS + 100 }, {});
    const { drafts } = watchOver(journal, { onError: ({ message }) => said.push(message) });
    await vi.waitUntil(() => drafts.length === 1, WAIT);
    expect(said).toEqual([expect.stringContaining("tenant ''")]);
  });

  test('call a stop green by a look that begins after somebody asked, and by nothing older', async () => {
    const acme = { scope: 'tenant', target: 'acme' } as const;
    const rush = { rows: every(10, 6), nowMs: BEGIN_MS + 100 };
    const journal = new Script({}, rush, { nowMs: BEGIN_MS + 100 });
    const { watch } = watchOver(journal);
    await vi.waitUntil(() => watch.status().red === 1, WAIT);
    const { signal } = new AbortController();
    expect(await watch.greenCheck(acme).check(signal)).toMatch(/acme/);
    expect(await watch.greenCheck({ scope: 'tenant', target: 'quiet' }).check(signal)).toBeNull();
    const away = watchOver(new Script({}, new Error('away'))).watch;
    await vi.waitUntil(() => away.status().errors > 0, WAIT);
    const giveUp = new AbortController();
    const asked = away.greenCheck(acme).check(giveUp.signal);
    giveUp.abort(new Error('late'));
    await expect(asked).rejects.toThrow('late');
  });

  test('refuse rules that a journal cannot feed, and name each', () => {
    const rules = [
      writes,
      { kind: 'loop', per: 'run', windowMs: 1_000, times: 3 },
      { kind: 'cost', name: 'money', per: 'run', windowMs: 1_000, amount: 3 },
      { kind: 'guardrail', per: 'agent', metric: 'toxicity', windowMs: 1_000, redFrom: 1 },
    ];
    const blind = readDetectors({ detector: 'beside', rules }, 'the test');
    const parts = { journal: new Script({}), config: blind, port: { raise: async () => undefined } };
    expect(() => new JournalWatch({ ...parts, clock: systemClock })).toThrow(
      "the journal cannot feed 'loop-per-run' (loop), 'money' (cost), 'toxicity' (guardrail)",
    );
  });
});
