import { describe, expect, it } from 'vitest';
import type { Calendar, CalendarCell } from '../../../harness/evidence/calendar-file.ts';
import { NO_CALENDAR } from '../../../harness/evidence/calendar-file.ts';
import { dueCells } from '../../../harness/evidence/due-cells.ts';
import { dueReportOf } from '../../../harness/evidence/due-report.ts';
import { renderDue } from '../../../harness/report/due-table.ts';
import { kept, madeEvidence } from './made-evidence.ts';
import type { Wanted } from './made-evidence.ts';

const DAY_MS = 86_400_000;
const cell: CalendarCell = { scope: 'tenant', path: 'postgres', mode: null, environment: null, everyMs: 90 * DAY_MS };
const calendar = (...cells: readonly Partial<CalendarCell>[]): Calendar => ({
  ...NO_CALENDAR,
  cells: cells.map((one) => ({ ...cell, ...one })),
});
const at = (now: string) => ({ nowMs: Date.parse(now), soonMs: 14 * DAY_MS });
const statesOf = (of: Calendar, now: string, ...drills: readonly Wanted[]) =>
  dueCells(of, kept(...drills), at(now)).map(({ state }) => state);

const proven: Wanted = { end: '2026-01-01T09:00:00.000Z' };

describe('a proof', () => {
  it.each([
    ['2026-01-01T09:00:00.000Z', 'proven'],
    ['2026-03-18T08:59:59.999Z', 'proven'],
    ['2026-03-18T09:00:00.000Z', 'due soon'],
    ['2026-04-01T08:59:59.999Z', 'due soon'],
    ['2026-04-01T09:00:00.000Z', 'overdue'],
    ['2029-01-01T00:00:00.000Z', 'overdue'],
  ])('of 1 January lasts 90 days: on %s it is %s', (now, state) => {
    expect(statesOf(calendar({}), now, proven)).toEqual([state]);
  });

  it('is renewed by the next pass', () => {
    expect(statesOf(calendar({}), '2026-05-01T00:00:00Z', proven, { end: '2026-04-20T00:00:00.000Z' })).toEqual([
      'proven',
    ]);
  });

  it('is taken away by a later fail, whenever it would have expired, until the next pass', () => {
    const failed: Wanted = { end: '2026-01-02T00:00:00.000Z', verdict: 'fail' };
    expect(statesOf(calendar({}), '2026-01-03T00:00:00Z', proven, failed)).toEqual(['failed']);
    expect(statesOf(calendar({}), '2026-01-03T00:00:00Z', failed)).toEqual(['failed']);
    const again: Wanted = { end: '2026-01-02T12:00:00.000Z' };
    expect(statesOf(calendar({}), '2026-01-03T00:00:00Z', proven, failed, again)).toEqual(['proven']);
    const atOnce: Wanted = { ...proven, verdict: 'fail' };
    expect(statesOf(calendar({}), '2026-01-03T00:00:00Z', atOnce, proven)).toEqual(['failed']);
  });

  it('is neither given nor taken by a drill that came to no verdict', () => {
    for (const verdict of ['inconclusive', 'error'] as const) {
      const lost: Wanted = { end: '2026-01-02T00:00:00.000Z', verdict };
      expect(statesOf(calendar({}), '2026-01-03T00:00:00Z', proven, lost)).toEqual(['proven']);
      expect(statesOf(calendar({}), '2026-01-03T00:00:00Z', lost)).toEqual(['never proven']);
    }
  });

  it('takes a stop that was acknowledged; a fail takes it away even if the drill did not come to its stop', () => {
    const silent: Wanted = { ...proven, stop: { answer: 'silent', revision: null } };
    expect(statesOf(calendar({}), '2026-01-03T00:00:00Z', silent)).toEqual(['never proven']);
    const early: Wanted = { end: '2026-01-02T00:00:00.000Z', verdict: 'fail', stop: { answer: 'not asked for' } };
    expect(statesOf(calendar({}), '2026-01-03T00:00:00Z', proven, early)).toEqual(['failed']);
  });

  it('takes that it was judged whether anything arrived after the stop, and that the stop stopped somebody', () => {
    const later = '2026-01-03T00:00:00Z';
    const failed: Wanted = { end: '2026-01-01T10:00:00.000Z', verdict: 'fail' };
    const onRecord = [{ name: 'flips_on_record', verdict: 'pass' as const, reason: 'all are' }];
    const lesser: Wanted = { end: '2026-01-02T00:00:00.000Z', properties: onRecord };
    expect(statesOf(calendar({}), later, lesser)).toEqual(['never proven']);
    expect(statesOf(calendar({}), later, proven, failed, lesser)).toEqual(['failed']);
    const [cellThen] = dueCells(calendar({}), kept(proven, lesser), at(later));
    expect(cellThen).toMatchObject({ state: 'proven', proven: { run: 'run-0' }, lesser: 1, inconclusive: 0 });
    const [stop] = madeEvidence().stops;
    const nobody = stop === undefined || stop.timeToStop === null ? null : { ...stop.timeToStop, n: 0, maxMs: null };
    expect(statesOf(calendar({}), later, { ...proven, stop: { timeToStop: nobody } })).toEqual(['never proven']);
  });

  it('is of its scope and path, and of mode and environment where the calendar says them', () => {
    const cells = calendar(
      {},
      { scope: 'global' },
      { path: 'api' },
      { mode: 'halt_all' },
      { mode: 'emergency' },
      { environment: 'external' },
    );
    const drill: Wanted = { ...proven, environment: 'external' };
    expect(statesOf(cells, '2026-01-03T00:00:00Z', drill)).toEqual([
      'proven',
      'never proven',
      'never proven',
      'proven',
      'never proven',
      'proven',
    ]);
    expect(statesOf(calendar({ environment: 'external' }), '2026-01-03T00:00:00Z', proven)).toEqual(['never proven']);
  });

  it('is of the fleet that the calendar names', () => {
    const drill: Wanted = { ...proven, command: ['node', 'worker.js'] };
    const of = (fleet: readonly string[]): Calendar => ({ ...calendar({}), fleet });
    expect(statesOf(of(['node', 'worker.js']), '2026-01-03T00:00:00Z', drill)).toEqual(['proven']);
    expect(statesOf(of(['node', 'other.js']), '2026-01-03T00:00:00Z', drill)).toEqual(['never proven']);
    expect(statesOf(of(['node', 'worker.js']), '2026-01-03T00:00:00Z', { ...proven, command: null })).toEqual([
      'never proven',
    ]);
  });
});

describe('without a calendar', () => {
  it('what was ever proven or failed is due each quarter, and what was only tried is not', () => {
    const drills = kept(
      proven,
      { ...proven, stop: { scope: 'global', target: '*' } },
      { end: '2025-01-01T00:00:00.000Z', stop: { path: 'api' } },
      { ...proven, verdict: 'fail', stop: { path: 'alert' } },
      { ...proven, verdict: 'inconclusive', stop: { path: 'file' } },
    );
    const cells = dueCells(NO_CALENDAR, drills, at('2026-01-03T00:00:00Z'));
    expect(cells.map(({ scope, path, state }) => `${scope} ${path} ${state}`)).toEqual([
      'global postgres proven',
      'tenant alert failed',
      'tenant api overdue',
      'tenant postgres proven',
    ]);
  });
});

describe('what is due', () => {
  const report = (drills: readonly Wanted[], now: string, of: Calendar = calendar({})) => {
    const loaded = { kept: kept(...drills), leftOut: [], copies: 0, bundlesWithout: [] };
    return dueReportOf({ calendar: of, calendarFile: 'calendar.yaml', folders: ['reports'], loaded }, at(now));
  };

  it.each([
    ['proven', '2026-01-03T00:00:00Z', [proven], 0],
    ['due soon', '2026-03-31T00:00:00Z', [proven], 0],
    ['overdue', '2026-05-01T00:00:00Z', [proven], 1],
    ['never proven', '2026-05-01T00:00:00Z', [], 1],
    ['failed', '2026-01-03T00:00:00Z', [{ ...proven, verdict: 'fail' as const }], 1],
  ])('%s is answered with its exit code, in 80 columns', (state, now, drills, exitCode) => {
    const found = report(drills, now);
    expect(found).toMatchObject({ exitCode, cells: [{ state }] });
    const text = renderDue(found, { width: 80, colour: false });
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toContain(state);
    expect(text).toMatch(new RegExp(`\\(exit ${exitCode}\\)\\n$`));
  });

  it('is something when there is nothing: no evidence is no proof', () => {
    expect(report([], '2026-01-03T00:00:00Z', NO_CALENDAR)).toMatchObject({ exitCode: 1, answer: 'due', cells: [] });
  });

  it('is not known as long as a file does not count', () => {
    const leftOut = [{ file: 'a.evidence.json', line: 3, why: 'it was edited' }];
    const loaded = { kept: kept(proven), leftOut, copies: 0, bundlesWithout: [] };
    const input = { calendar: calendar({}), calendarFile: null, folders: ['reports'], loaded };
    const found = dueReportOf(input, at('2026-01-03T00:00:00Z'));
    expect(found).toMatchObject({ answer: 'unread', exitCode: 3 });
    expect(renderDue(found, { width: 80, colour: false })).toContain(
      'does not count: a.evidence.json:3: it was edited',
    );
    expect(dueReportOf(input, at('2027-01-03T00:00:00Z'))).toMatchObject({ answer: 'due', exitCode: 1 });
  });

  it('names the simulated fleet, other fleets, and failures that the calendar leaves out', () => {
    const drills: readonly Wanted[] = [
      { ...proven, command: null },
      { ...proven, verdict: 'fail', stop: { path: 'api' } },
    ];
    expect(report(drills, '2026-01-03T00:00:00Z').notes).toEqual([
      '1 of 1 were proven with the simulated fleet of killdrill, and not with agents of yours',
      'not on the calendar, and failed: tenant × api',
    ]);
    const narrow = calendar({ mode: 'halt_all' });
    const inAnother: Wanted = { ...proven, verdict: 'fail', stop: { mode: 'emergency' } };
    expect(report([proven, inAnother], '2026-01-03T00:00:00Z', narrow)).toMatchObject({
      exitCode: 0,
      notes: ['not on the calendar, and failed: tenant × postgres × emergency on embedded'],
    });
    const of = { ...calendar({}), fleet: ['node', 'other.js'] };
    expect(report([proven], '2026-01-03T00:00:00Z', of).notes).toEqual([
      "1 drills were of another fleet than the calendar's, and do not count",
    ]);
  });
});
