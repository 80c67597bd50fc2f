import { describe, expect, it } from 'vitest';
import { cellsOf, coverageOf, emptyBecause, plannedCells } from '../../../harness/regression/coverage.ts';
import { gateReportOf } from '../../../harness/regression/gate-report.ts';
import { notDrilled } from '../../../harness/regression/gate-result.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf, withScenario, withoutStops } from '../checkers/history-builder.ts';

const cell = { scope: 'tenant', mode: 'halt_all', path: 'postgres' } as const;

describe('coverage', () => {
  it('counts the stops that a drill came to, by scope, mode and path', () => {
    expect(cellsOf(recordOf(cleanDrill()))).toEqual([cell]);
    expect(cellsOf(recordOf(withoutStops(cleanDrill())))).toEqual([]);
  });

  it("takes a stop by a fleet's own switch for none of killdrill's paths", () => {
    const lever = { kind: 'command', words: ['pull'] } as const;
    const levers = { stop: lever, release: lever, status: null, withinMs: 5_000 };
    const own = withScenario(cleanDrill(), (scenario) => ({ ...scenario, fleet: { ...scenario.fleet, levers } }));
    expect(cellsOf(recordOf(own))).toEqual([{ ...cell, path: 'levers' }]);
    expect(plannedCells(own.scenario)).toEqual([{ ...cell, path: 'levers' }]);
  });

  it('is given by drills that were judged, whatever the judgement', () => {
    const kept = [
      { name: 'one', answer: 'same', cells: [cell] },
      { name: 'two', answer: 'regressed', cells: [cell] },
      { name: 'other', answer: 'same', cells: [{ ...cell, path: 'alert' }] },
    ] as const;
    const [covered] = coverageOf([cell], kept);
    expect(covered).toEqual({ cell, by: ['one', 'two'], notShownBy: [] });
    expect(covered && emptyBecause(covered)).toBeNull();
  });

  it('names an empty cell, and the kept run that has it and showed nothing', () => {
    const lost = { name: 'lost', answer: 'not_comparable', cells: [cell] } as const;
    const [without, unshown] = [coverageOf([cell], [])[0], coverageOf([cell], [lost])[0]];
    expect(without && emptyBecause(without)).toMatch(/^tenant × halt_all × postgres: no kept run has such a stop/);
    expect(unshown && emptyBecause(unshown)).toMatch(/only lost has such a stop, and showed nothing/);
  });

  it('fails the gate with an empty cell, and a gate without any kept run is no pass', () => {
    const facts = { gate: 'kept', environment: 'embedded', seconds: 91, profile: null };
    const same = { ...notDrilled({ name: 'one', folder: 'kept/one', kept: 'pass' }, '', []), exitCode: 0 } as const;
    expect(gateReportOf(facts, [same], [])).toMatchObject({ verdict: 'pass', exitCode: 0 });
    expect(gateReportOf(facts, [same], [cell])).toMatchObject({
      verdict: 'fail',
      exitCode: 1,
      coverage: [{ ...cell, by: [], empty: expect.stringContaining('tenant × halt_all × postgres') as string }],
    });
    expect(gateReportOf(facts, [], [])).toMatchObject({ verdict: 'inconclusive', exitCode: 2 });
  });

  it('says of a profile that it ran over its time, which changes no verdict', () => {
    const same = { ...notDrilled({ name: 'one', folder: 'kept/one', kept: 'pass' }, '', []), exitCode: 0 } as const;
    const took = (seconds: number, withinMs: number | null) =>
      gateReportOf({ gate: 'kept', environment: 'embedded', seconds, profile: { name: 'pr', withinMs } }, [same], []);
    expect(took(91, 90_000)).toMatchObject({ exitCode: 0, profile: { name: 'pr', withinSeconds: 90, ranOver: true } });
    expect(took(90, 90_000)).toMatchObject({ exitCode: 0, profile: { ranOver: false } });
    expect(took(91, null).profile).toEqual({ name: 'pr', withinSeconds: null, ranOver: false });
  });
});
