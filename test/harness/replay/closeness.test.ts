import { describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import type { DrillRecord } from '../../../harness/drill/drill.ts';
import { keptVerdicts } from '../../../harness/regression/regression-file.ts';
import { closenessOf } from '../../../harness/replay/closeness.ts';
import { overlapOf } from '../../../harness/replay/overlap.ts';
import { replayReportOf } from '../../../harness/replay/replay-report.ts';
import { replaySentence } from '../../../harness/replay/replay-sentence.ts';
import { renderReplay } from '../../../harness/report/replay-table.ts';
import { AT, cleanDrill } from '../checkers/clean-drill.ts';
import { changed, effect, fault, plus, recordOf, without } from '../checkers/history-builder.ts';
import type { DraftDrill } from '../checkers/history-builder.ts';

const clean = cleanDrill();
const judged = (record: DrillRecord) => ({ record, judgement: judge(record) });
const then = judged(recordOf(clean));
const closenessTo = (now: DraftDrill) => closenessOf(then, judged(recordOf(now)));
const SAME = { was: 'pass', is: 'pass' } as const;

const later = (ms: number): DraftDrill =>
  changed(clean, (timed) => {
    const isStop = 'flip' in timed.body && timed.body.flip === 1;
    if (!isStop) return timed;
    const t1 = timed.t1Ms === undefined ? {} : { t1Ms: timed.t1Ms + ms };
    return { ...timed, atMs: timed.atMs + ms, ...t1 };
  });

describe('overlapOf', () => {
  it('counts what is there twice twice', () => {
    expect(overlapOf(['a', 'a', 'b'], ['a', 'c'])).toEqual({
      ...{ was: 3, is: 2, inCommon: 1, onlyThen: 2, onlyNow: 1, share: 0.25 },
    });
    expect(overlapOf([], []).share).toBeNull();
  });
});

describe('how close a replay came', () => {
  it('is all the way to itself', () => {
    const same = closenessTo(clean);
    expect(same.effects).toMatchObject({ share: 1, onlyThen: 0, onlyNow: 0, by: 'run, channel and key' });
    expect(same.effects.bySameWorker).toBe(same.effects.inCommon);
    expect(same.runs).toMatchObject({ due: { share: 1 }, handed: { share: 1 } });
    expect(same.stops).toMatchObject([{ name: 'tenant:acme', ratio: 1 }]);
    expect(same.moments.map(({ what, name, was, is }) => [what, name, was?.atMs === is?.atMs])).toEqual([
      ['stop', 'tenant:acme', true],
      ['release', 'tenant:acme', true],
    ]);
    expect(same.moments[0]?.was).toMatchObject({ atMs: AT.stop - AT.traffic });
    expect(replaySentence(same, SAME, 0)).toMatch(
      /^close: 100 % of the effects before the stop are the same; the stop came at the same millisecond, after as many effects in its scope \(\d+\); the verdict is pass again$/,
    );
  });

  it('tells how much later the stop came, and after how many effects more in its scope', () => {
    const acme = clean.runs.find(({ tenant, probe }) => tenant === 'acme' && probe === undefined)?.run ?? '';
    const more = effect({ atMs: AT.stop - 50, worker: 1, run: acme, capability: 'model/chat', key: 'one-more' });
    const { moments, effects } = closenessTo(plus(later(4), ...more));
    expect(moments[0]?.is?.atMs).toBe((moments[0]?.was?.atMs ?? 0) + 4);
    expect(moments[0]?.is?.effectsBefore).toBe((moments[0]?.was?.effectsBefore ?? 0) + 1);
    expect(effects).toMatchObject({ onlyThen: 0, onlyNow: 1 });
    const closeness = closenessTo(plus(later(4), ...more));
    expect(replaySentence(closeness, { was: 'pass', is: 'fail' }, 2)).toMatch(
      /the stop came 4 ms later, after 1 effect more in its scope; the verdict is fail, and was pass, and 2 properties differ$/,
    );
  });

  it('is not close without most of the effects', () => {
    let nth = 0;
    const few = without(
      clean,
      ({ body, atMs }) => body.type === 'effect.arrived' && atMs < AT.stop && (nth += 1) % 3 !== 0,
    );
    const closeness = closenessTo(few);
    expect(closeness.effects.share).toBeLessThan(0.5);
    expect(closeness.effects.onlyThen).toBeGreaterThan(closeness.effects.inCommon);
    expect(replaySentence(closeness, SAME, 0)).toMatch(/^not close: /);
  });

  it('sees other workers, and keys that are new in each run', () => {
    const moved = changed(clean, (timed) =>
      timed.body.type === 'effect.arrived' ? { ...timed, body: { ...timed.body, worker: 'worker-1' } } : timed,
    );
    const { effects } = closenessTo(moved);
    expect(effects.share).toBe(1);
    expect(effects.bySameWorker).toBeLessThan(effects.inCommon);
    const random = changed(clean, (timed) =>
      timed.body.type === 'effect.arrived'
        ? { ...timed, body: { ...timed.body, key: `x-${timed.body.effect}` } }
        : timed,
    );
    expect(closenessTo(random).effects).toMatchObject({ by: 'run and channel', share: 1 });
  });

  it('names a fault and a stop that came in one of the two only', () => {
    const facts = { fault: 1, kind: 'kill', target: 'worker-1', plane: null } as const;
    const faulty = plus(clean, ...fault(facts, AT.stop + 1_000, AT.stop + 2_000));
    expect(closenessTo(faulty).moments.find(({ what }) => what === 'fault')).toMatchObject({
      name: 'kill of worker-1',
      was: null,
      is: { atMs: AT.stop + 1_000 - AT.traffic },
    });
    const stopless = closenessTo(without(clean, ({ body }) => 'flip' in body));
    expect(stopless.moments.map(({ is }) => is)).toEqual([null, null]);
    expect(stopless.stops).toMatchObject([{ is: null, ratio: null }]);
    expect(replaySentence(stopless, SAME, 0)).toContain('the stop came only then');
  });
});

describe('the report of a replay', () => {
  const kept = keptVerdicts(then.judgement, 'verdict.json');
  const facts = { environment: 'embedded', seconds: 12.3, bundle: 'reports/again' };

  it('is one table of at most 80 columns, and ends with the verdict and the command', () => {
    const late = judged(recordOf(later(4)));
    const report = replayReportOf({ folder: 'reports/first', kept, stored: then.record }, late, facts);
    expect(report).toMatchObject({ ran: 'live', verdict: { was: 'pass', is: late.judgement.verdict } });
    const text = renderReplay(report, { width: 80, colour: false });
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(text).toMatch(/^Live replay of reports\/first, on embedded, 12 s/);
    expect(text).toMatch(/│ stop of tenant:acme +│ +3000 ms │ +3004 ms │ \+4 ms +│/);
    expect(text.trimEnd().split('\n').at(-1)).toBe('reproduce: killdrill replay reports/first --environment embedded');
  });

  it('says what is not known of a kept run, and which properties differ', () => {
    const was = {
      ...kept,
      verdict: 'fail',
      properties: { ...kept.properties, blast_radius_contained: 'fail' },
    } as const;
    const report = replayReportOf({ folder: 'kept/one', kept: was, stored: null }, then, facts);
    expect(report).toMatchObject({
      closeness: null,
      exitCode: then.judgement.exitCode,
      differing: [{ name: 'blast_radius_contained', was: 'fail', is: 'pass' }],
    });
    expect(report.sentence).toContain('a kept run has no history');
    expect(renderReplay(report, { width: 80, colour: false })).toMatch(
      /│ blast_radius_contained +│ +fail │ +pass │ another/,
    );
  });
});
