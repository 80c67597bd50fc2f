import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GateReport } from '../../harness/regression/gate-report.ts';
import { Workshop, project } from './workshop.ts';
import type { Ended } from './workshop.ts';

const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0;
if (!python) console.warn('there is no python3 here: the drills of examples/python-fleet are skipped');

const LEVER_CELL = '{ scopes: [tenant], modes: [halt_all], paths: [levers] }';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

/** The example's scenario as it stands, its paths made absolute, with so much of it changed. */
function drill(name: string, change: (text: string) => string, more: readonly string[] = []): Promise<Ended> {
  const text = readFileSync(`${project}examples/python-fleet/drill.yaml`, 'utf8');
  const absolute = text.replaceAll('examples/python-fleet/', `${project}examples/python-fleet/`);
  return workshop.run(['run', workshop.write(`${name}.yaml`, change(absolute)), '--out', 'reports', '-q', ...more]);
}

interface Verdict {
  readonly verdict: string;
  readonly worst: { readonly name: string; readonly reason: string } | null;
  readonly notes: readonly string[];
}

describe.skipIf(!python)('the fleet of examples/python-fleet', () => {
  it('passes its drill: no server is started, and the report says what was not looked at', async () => {
    const { code, stdout } = await drill('passes', (text) => text);
    const report = stdout.replace(/\\\n/g, '').replace(/\s+/g, ' '); // wrapped to the width, also the command
    expect(report).toMatch(/Drill python-fleet, seed 42, on none/);
    expect(report).toMatch(/not looked at, since this fleet has a switch of its own: 16 of 24 properties/);
    expect(report).toContain('--environment none');
    expect(code).toBe(0);
    expect(workshop.left()).toEqual([]);
  });

  it('is kept and gated, on no servers either: it holds, and fails with the bug that it can be given: calls in flight go on', async () => {
    const [run = 'none'] = readdirSync(join(workshop.folder, 'reports'));
    const promoted = await workshop.run(['promote', join('reports', run), '--name', 'python', '--dir', 'kept']);
    expect(promoted.stderr.replaceAll(/\s+/g, ' ')).toMatch(
      /its levers name .*fleet\.py, which other machines do not have/,
    );
    const gated = async (command: string) => {
      const fleet = `fleet: { command: [python3, ${project}examples/python-fleet/fleet.py${command}] }`;
      workshop.write('kept/gate.yaml', `version: 1\n${fleet}\ncoverage: [${LEVER_CELL}]\n`);
      const { code, stdout } = await workshop.run(['gate', 'kept', '--out', 'gated', '--json', '-q']);
      return { code, ...(JSON.parse(stdout) as GateReport) };
    };
    const held = await gated('');
    expect(held.regressions).toMatchObject([{ name: 'python', answer: 'same', why: [] }]);
    expect(held).toMatchObject({ code: 0, environment: 'none', coverage: [{ by: ['python'], empty: null }] });
    const { code, regressions } = await gated(', --forgets-in-flight');
    expect(regressions).toMatchObject([{ answer: 'regressed', flaky: false }]);
    expect(regressions[0]?.why).toContainEqual(expect.stringMatching(/^in_flight_cancelled was pass and fails: /));
    expect(code).toBe(1);
    expect(workshop.left()).toEqual([]);
  });

  it('shows nothing when its stop lever says no, which the report quotes', async () => {
    const refuses = (text: string): string => text.replace('fleet.py, stop,', 'no-such-file.py, stop,');
    const { code, stdout } = await drill('refuses', refuses, ['--json']);
    const { verdict, worst } = JSON.parse(stdout) as Verdict;
    expect({ code, verdict }).toEqual({ code: 2, verdict: 'inconclusive' });
    expect(worst?.reason).toMatch(/no-such-file\.py.*ended with exit code 2/s);
  });
});
