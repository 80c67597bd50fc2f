import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import { PROPERTY_NAMES } from '../../../harness/checkers/registry.ts';
import type { Judgement } from '../../../harness/checkers/verdict-file.ts';
import { keptVerdicts } from '../../../harness/regression/regression-file.ts';
import { findSmallest } from '../../../harness/replay/find-smallest.ts';
import type { Drilled, FindInput, HeldDrill } from '../../../harness/replay/find-smallest.ts';
import { makeSmallestFolder, writeSmallest } from '../../../harness/replay/write-smallest.ts';
import { onTrace } from '../../../harness/scenario/given-trace.ts';
import { loadScenario } from '../../../harness/scenario/load.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import type { TimelineEntry } from '../../../harness/scenario/scenario.ts';
import { planDrill } from '../../../harness/traffic/plan-drill.ts';
import type { DrillPlan } from '../../../harness/traffic/plan-drill.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf } from '../checkers/history-builder.ts';

const TEXT = `
version: 1
name: find
description: A test.
fleet: { workers: 2 }
traffic: { effects: 60/s, tenants: 4 }
steadyState: { for: 1s, effectsPerSecond: { min: 5 } }
timeline:
  - { when: exposed, flip: { scope: tenant, target: $busiest, mode: halt_all } }
  - { at: +500ms, fault: { kind: kill, target: worker-1, for: 1s } }
  - { at: +500ms, fault: { kind: pause, target: worker-2, for: 1s } }
  - { at: +500ms, flip: { scope: capability, target: write/mail, mode: halt_all } }
  - { at: flip+hold, release: { scope: tenant, target: $busiest } }
  - { at: +10ms, release: { scope: capability, target: write/mail } }
hold: 4s
settle: 2s
`;

function wholePlan(): DrillPlan {
  const { scenario, trace } = planDrill(parseScenario(TEXT, 'find.yaml', PROPERTY_NAMES));
  return { scenario: onTrace(scenario, trace, 'trace.jsonl.gz'), trace };
}

const plan = wholePlan();
const passed: Judgement = judge(recordOf(cleanDrill()));
const failedBy = (name: string): Judgement => ({
  ...passed,
  ...{ verdict: 'fail', exitCode: 1 },
  properties: passed.properties.map((one) => (one.name === name ? { ...one, verdict: 'fail' } : one)),
});
const failed = failedBy('in_flight_cancelled');
const isStopOf = (name: string) => (entry: TimelineEntry) =>
  entry.kind === 'flip' && `${entry.scope}:${entry.target}` === name;
const isKill = (entry: TimelineEntry): boolean => entry.kind === 'fault' && entry.fault === 'kill';

/** A fleet that fails exactly when this is in its drill; `drills` are told apart by their number. */
function faked(fails: (plan: DrillPlan, nth: number) => boolean, more: Partial<FindInput> = {}) {
  const drills: DrillPlan[] = [];
  const sofar: (HeldDrill | null)[] = [];
  let atMs = 0;
  const input: FindInput = {
    ...{ plan, stored: keptVerdicts(failed, 'verdict.json'), tries: 500, forMs: 1_000_000 },
    nowMs: () => atMs,
    drill: (candidate): Promise<Drilled> => {
      drills.push(candidate);
      atMs += 10_000;
      const judgement = fails(candidate, drills.length) ? failed : passed;
      return Promise.resolve({ kind: 'judged', judgement });
    },
    onWhole: () => undefined,
    onStep: () => undefined,
    onSofar: (smallest) => sofar.push(smallest),
    onVerified: () => undefined,
    ...more,
  };
  return { found: findSmallest(input), drills, sofar };
}

const [needed = 'none'] = plan.trace.runs
  .filter(({ probe, primed }) => probe !== true && primed !== true)
  .map((one) => one.run);
const needsMail = ({ scenario, trace }: DrillPlan): boolean =>
  scenario.timeline.some(isStopOf('capability:write/mail')) &&
  scenario.timeline.some(isKill) &&
  trace.runs.some(({ run }) => run === needed);

const entriesAndDrills = (smallest: HeldDrill | null): readonly [entries: number, drilled: number] | null =>
  smallest === null ? null : [smallest.plan.scenario.timeline.length, smallest.drilled];

describe('findSmallest', () => {
  it('leaves what is needed, and verifies it in two drills more', async () => {
    const { found, drills } = faked(needsMail, { forMs: 1e9 });
    const smallest = await found;
    if (smallest.kind !== 'found') throw new Error(smallest.why);
    const { scenario, trace } = smallest.smallest.plan;
    expect(scenario.timeline.map(({ kind }) => kind)).toEqual(['fault', 'flip']);
    expect(scenario.timeline.some(isKill) && scenario.timeline.some(isStopOf('capability:write/mail'))).toBe(true);
    expect(trace.runs.length).toBeLessThan(plan.trace.runs.length / 4);
    expect(trace.runs.map(({ run }) => run)).toContain(needed);
    expect(scenario.holdMs).toBeLessThan(1_000);
    expect(smallest).toMatchObject({ spent: false, wentBack: 0, judgement: { verdict: 'fail' } });
    expect(drills.slice(-2)).toEqual([smallest.smallest.plan, smallest.smallest.plan]);
    expect(drills).toHaveLength(1 + smallest.steps.length + 2);
  });

  it('begins with faults, then stops, then traffic, and keeps what held when tries are spent', async () => {
    const { found, drills } = faked(needsMail, { tries: 5 });
    const smallest = await found;
    expect(smallest).toMatchObject({ kind: 'found', spent: true, wentBack: 0 });
    expect(smallest.steps.map(({ without, held }) => [held, without])).toEqual([
      [false, 'the kill of worker-1, the pause of worker-2'],
      [true, 'the pause of worker-2'],
      [false, expect.stringMatching(/^the stop of capability:write\/mail, the release of capability:write\/mail$/)],
      [true, expect.stringMatching(/^the stop of tenant:.*, the release of tenant:/)],
    ]);
    expect(drills).toHaveLength(5 + 2);
  });

  it('tries nothing any more once its time is over', async () => {
    const { found, drills } = faked(needsMail, { forMs: 25_000 });
    expect(await found).toMatchObject({ kind: 'found', spent: true });
    expect(drills).toHaveLength(3 + 2);
  });

  it('finds nothing when everything together does not show it, or shows it by another property', async () => {
    const { found, drills } = faked(() => false);
    expect(await found).toMatchObject({ kind: 'not_shown', why: 'the verdict is pass' });
    expect(drills).toHaveLength(1);
    const other = failedBy('no_new_children');
    const by = faked(() => true, { drill: () => Promise.resolve({ kind: 'judged', judgement: other }) });
    expect(await by.found).toMatchObject({ kind: 'not_shown', why: 'in_flight_cancelled does not fail' });
    const broken = faked(() => true, { drill: () => Promise.resolve({ kind: 'broken', why: 'no fleet' }) });
    expect(await broken.found).toMatchObject({ kind: 'not_shown', why: 'the drill broke off: no fleet' });
  });

  it('goes back to what holds each time, when the smallest held by chance', async () => {
    // Without the kill it fails once, when it is tried first, and never again.
    const { found } = faked((candidate, nth) => needsMail(candidate) || nth === 2, { tries: 3 });
    const smallest = await found;
    expect(smallest).toMatchObject({ kind: 'found', wentBack: 1 });
    if (smallest.kind === 'found') expect(smallest.smallest.plan.scenario.timeline.some(isKill)).toBe(true);
  });

  it('says that a verdict is flaky which nothing shows twice more', async () => {
    const { found } = faked((_, nth) => nth === 1);
    expect(await found).toMatchObject({ kind: 'not_shown', why: expect.stringMatching(/flaky/) as string });
  });

  it('tells the smallest so far as soon as it is known', async () => {
    const { found, sofar } = faked(needsMail, { tries: 3 });
    await found;
    expect(sofar.map(entriesAndDrills)).toEqual([
      [6, 1],
      [5, 1],
      [5, 2],
      [5, 3],
    ]);
  });

  it('gives the smallest so far up as soon as a drill refutes it', async () => {
    const byChance = faked((candidate, nth) => needsMail(candidate) || nth === 2, { tries: 2 });
    await byChance.found;
    expect(byChance.sofar.map(entriesAndDrills)).toEqual([
      [6, 1],
      [4, 1],
      [6, 1],
      [6, 2],
      [6, 3],
    ]);
    const flaky = faked((_, nth) => nth === 1, { tries: 1 });
    await flaky.found;
    expect(flaky.sofar.map(entriesAndDrills)).toEqual([[6, 1], null]);
  });

  it('counts those that it did not drill again once too many did not hold', async () => {
    const { found } = faked((candidate, nth) => nth <= 8 || candidate.scenario.timeline.length === 6, { tries: 8 });
    const smallest = await found;
    expect(smallest).toMatchObject({ kind: 'found', wentBack: 3, notAgain: 4 });
    if (smallest.kind === 'found') expect(smallest.smallest.plan.scenario.timeline).toHaveLength(6);
  });
});

describe('the folder of the smallest scenario', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'killdrill-smallest-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('is new: another name is taken where that is free, and nothing is overwritten where not', () => {
    const folder = join(dir, 'a', 'b');
    expect(makeSmallestFolder(folder, true)).toBe(folder);
    expect(makeSmallestFolder(folder, true)).toBe(`${folder}-2`);
    expect(() => makeSmallestFolder(folder, false)).toThrow(/is there already, and nothing is overwritten; .*--into/);
  });

  it('has a scenario that is read with its trace', async () => {
    const { found } = faked(needsMail, { tries: 8 });
    const smallest = await found;
    if (smallest.kind !== 'found') throw new Error(smallest.why);
    mkdirSync(join(dir, 'one'));
    const path = await writeSmallest(join(dir, 'one'), smallest.smallest);
    expect(readdirSync(join(dir, 'one')).toSorted()).toEqual(['scenario.yaml', 'trace.jsonl.gz']);
    expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(smallest.smallest.yaml);
    expect(planDrill(loadScenario(path, PROPERTY_NAMES)).trace).toEqual(smallest.smallest.plan.trace);
  });
});
