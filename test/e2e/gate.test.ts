import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GateReport } from '../../harness/regression/gate-report.ts';
import { shortDrill } from './short-drill.ts';
import { Workshop, project } from './workshop.ts';

const FLEET = join(project, 'dist/fleet-sim/main.js');
const ON = ['--environment', 'embedded', '--out', 'reports'];

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

async function gated(folder: string): Promise<{ readonly code: number; readonly report: GateReport }> {
  const { code, stdout, stderr } = await workshop.run(['gate', folder, ...ON, '--json', '-q']);
  expect(stdout, stderr).not.toBe('');
  return { code, report: JSON.parse(stdout) as GateReport };
}

describe('a run that was promoted', () => {
  let bundle: string;

  beforeAll(async () => {
    const scenario = workshop.write('tenant.yaml', shortDrill({ name: 'tenant', effects: '150/s', settle: '5s' }));
    const { code } = await workshop.run(['run', scenario, ...ON, '-q']);
    expect(code).toBe(0);
    const [name = 'none'] = readdirSync(join(workshop.folder, 'reports'));
    bundle = join('reports', name);
    const promoted = await workshop.run(['promote', bundle, '--name', 'tenant', '--dir', 'kept']);
    expect(promoted.code).toBe(0);
    expect(promoted.stdout).toMatch(/dropped │ history\.jsonl\.gz/);
    expect(promoted.stderr).toContain('drill it: killdrill gate kept/tenant');
  });

  /** The kept run, with a gate.yaml of its own that names a fleet with this bug. */
  function brokenBy(mutant: string): string {
    const folder = `kept-${mutant}`;
    mkdirSync(join(workshop.folder, folder));
    cpSync(join(workshop.folder, 'kept', 'tenant'), join(workshop.folder, folder, 'tenant'), { recursive: true });
    const command = JSON.stringify([process.execPath, FLEET, '--mutant', mutant]);
    writeFileSync(
      join(workshop.folder, folder, 'gate.yaml'),
      `version: 1\nfleet: { command: ${command} }\ncoverage: [{ scopes: [tenant], modes: [halt_all], paths: [postgres] }]\n`,
    );
    return folder;
  }

  it.each([
    ['flag-cached-at-boot', 'no_intent_after_stop'],
    ['ignores-abort-signal', 'in_flight_cancelled'],
    ['sticks-after-release', 'release_takes_effect'],
  ])('fails the gate on a fleet broken as %s is, which names run and property', async (mutant, property) => {
    const { code, report } = await gated(brokenBy(mutant));
    expect(code).toBe(1);
    expect(report).toMatchObject({
      verdict: 'fail',
      regressions: [{ name: 'tenant', answer: 'regressed', kept: 'pass', flaky: false }],
      coverage: [{ by: ['tenant'], empty: null }],
    });
    const { drills, why } = report.regressions[0] ?? { drills: [], why: [] };
    expect(drills).toHaveLength(2);
    for (const { regressed } of drills) {
      const found = regressed.find(({ finding }) => finding.name === property);
      expect(found).toMatchObject({ was: 'pass', finding: { verdict: 'fail', reason: expect.stringMatching(/./) } });
      expect(Object.keys(found?.finding.evidence ?? {})).not.toEqual([]);
    }
    expect(why.some((sentence) => sentence.startsWith(`${property} was pass and fails: `))).toBe(true);
    expect(workshop.left()).toEqual([]);
  });

  it('passes the gate once it is mended, as it stands too', async () => {
    const { code, report } = await gated('kept');
    expect(report.regressions).toMatchObject([{ name: 'tenant', answer: 'same', why: [] }]);
    expect(code).toBe(0);
    const unkept = await workshop.run(['gate', bundle, ...ON]);
    expect(unkept.stdout).toMatch(/│ same +│ pass +│ pass +│/);
    expect(unkept.stdout).toMatch(/verdict: pass \(exit 0\)\n$/);
    expect(unkept.stderr).toMatch(/^same +\S+-tenant \(/m);
    expect(unkept.code).toBe(0);
    expect(workshop.left()).toEqual([]);
  });

  it('says that a fleet which does not start is no pass', async () => {
    const folder = brokenBy('none');
    writeFileSync(
      join(workshop.folder, folder, 'gate.yaml'),
      'version: 1\nfleet: { command: [node, no-such-worker.js] }\ncoverage: [{ scopes: [tenant], modes: [halt_all], paths: [file] }]\n',
    );
    const { code, stdout } = await workshop.run(['gate', folder, ...ON, '-q']);
    const said = stdout.replaceAll(/\s+/g, ' ');
    expect(said).toMatch(/not comparable │ pass │ broke off, │ .* then broke │ .* off │/);
    expect(said).toContain('the fleet did not start');
    expect(said).toContain('empty cell: tenant × halt_all × file: no kept run has such a stop');
    expect(code).toBe(1);
    expect(workshop.left()).toEqual([]);
  });
});

describe('a gate of one kept run', () => {
  it('reads the gate.yaml beside it before anything is drilled', async () => {
    cpSync(join(project, 'scenarios/regressions/emergency'), join(workshop.folder, 'single/emergency'), {
      recursive: true,
    });
    writeFileSync(join(workshop.folder, 'single', 'gate.yaml'), 'version: 1\nfleet: { command: [] }\n');
    const { code, stderr } = await workshop.run(['gate', 'single/emergency', ...ON, '-q']);
    expect(stderr).toMatch(/single\/gate\.yaml.*command/s);
    expect(code).toBe(3);
  });
});

describe('a gate of nothing', () => {
  it.each([
    [['gate', 'none'], /nothing is kept in none.*killdrill promote/s],
    [['promote', 'none', '--name', 'one'], /no bundle can be read from none/],
    [['promote', 'none', '--name', 'One Two'], /--name is 'One Two'; expected lower-case words/],
  ])('is bad usage: %j', async (args, sentence) => {
    const { code, stdout, stderr } = await workshop.run(args);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(sentence);
  });
});
