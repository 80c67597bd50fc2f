import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { plannedCells } from '../../../harness/regression/coverage.ts';
import { GATE_FILE, nameOfCell, readGateFile } from '../../../harness/regression/gate-file.ts';
import { findSubjects } from '../../../harness/regression/gate-subject.ts';
import { notDrillable } from '../../../harness/regression/not-drillable.ts';
import { readRegression } from '../../../harness/regression/regression-file.ts';

const FOLDER = fileURLToPath(new URL('../../../scenarios/regressions', import.meta.url));
const EMBEDDED = { name: 'embedded', kafka: null } as const;

/** `.ci/run` drills them; this says in milliseconds what it would say in minutes. */
describe('the runs that are kept in scenarios/regressions', async () => {
  const { subjects } = await findSubjects(FOLDER);
  const drillable = subjects.filter((subject) => subject.kind === 'drillable');

  it('can be drilled where nothing but `npm ci` was done, and passed when they were kept', () => {
    expect(subjects.filter((subject) => subject.kind === 'lost')).toEqual([]);
    const why = drillable.map((subject) => [subject.name, notDrillable(subject, EMBEDDED, null), subject.kept.verdict]);
    expect(why).toEqual(drillable.map(({ name }) => [name, null, 'pass']));
    expect(drillable.length).toBeGreaterThanOrEqual(12);
  });

  it('are held to their scenarios, every word of them', async () => {
    const noted = await Promise.all(
      subjects.map(async ({ folder }) => (await readRegression(folder)).scenario?.sha256),
    );
    expect(noted).toEqual(subjects.map(() => expect.stringMatching(/^[0-9a-f]{64}$/) as string));
  });

  it('are short: nobody waits long for what a change has to pass', () => {
    const longest = drillable.map(
      ({ name, plan: { scenario } }) => [name, scenario.holdMs + scenario.settleMs] as const,
    );
    expect(longest.filter(([, ms]) => ms > 13_000)).toEqual([]);
  });

  it('have the stops that their gate.yaml demands: each scope, each mode, each path', () => {
    const { coverage } = readGateFile(join(FOLDER, GATE_FILE));
    const planned = drillable.flatMap(({ plan }) => plannedCells(plan.scenario).map(nameOfCell));
    const cells = coverage.map(nameOfCell);
    expect(cells.filter((cell) => !planned.includes(cell))).toEqual([]);
    const words = new Set(coverage.flatMap(({ scope, mode, path }) => [scope, mode, path]));
    expect([...words].toSorted()).toEqual([
      'agent',
      'alert',
      'api',
      'capability',
      'emergency',
      'feature',
      'file',
      'global',
      'halt_all',
      'halt_noncritical',
      'postgres',
      'run',
      'tenant',
    ]);
  });

  it('have faults: a worker and the store are killed under a stop', () => {
    const faults = drillable.flatMap(({ plan }) =>
      plan.scenario.timeline.flatMap((entry) => (entry.kind === 'fault' ? [`${entry.fault} ${entry.target}`] : [])),
    );
    expect(faults.toSorted()).toEqual(['kill postgres', 'kill worker-1']);
  });
});
