import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerdictFile } from '../../harness/checkers/verdict-file.ts';
import { PROPERTY_NAMES } from '../../harness/checkers/registry.ts';
import type { ReplayReport } from '../../harness/replay/replay-report.ts';
import { loadScenario } from '../../harness/scenario/load.ts';
import { shortDrill } from './short-drill.ts';
import { Workshop, project } from './workshop.ts';

const FLEET = join(project, 'dist/fleet-sim/main.js');
const ON = ['--environment', 'embedded', '--out', 'reports'];
const PROPERTY = 'in_flight_cancelled';

/** Three drills in all, and two that verify; a try costs some ten seconds. */
const TRIES = '3';

describe('a run that failed, with a fault and a stop that it would have failed without', () => {
  let workshop: Workshop;
  let bundle: string;

  beforeAll(async () => {
    workshop = new Workshop();
    const command = JSON.stringify([process.execPath, FLEET, '--mutant', 'ignores-abort-signal']);
    const useless = [
      '{ at: +50ms, fault: { kind: latency, target: worker-1, plane: work, delay: 2ms, for: 100ms } }',
      '{ at: +50ms, flip: { scope: capability, target: write/mail, mode: halt_all } }',
    ];
    const text = shortDrill({
      ...{
        name: 'failed',
        fleet: `{ workers: 2, command: ${command} }`,
        faults: useless,
        hold: '900ms',
        settle: '200ms',
      },
      expect: `{ properties: [${PROPERTY}] }`,
    });
    const { code } = await workshop.run(['run', workshop.write('failed.yaml', text), ...ON, '-q']);
    expect(code).toBe(1);
    bundle = join('reports', newest());
  });
  afterAll(() => workshop.close());

  const newest = (): string => readdirSync(join(workshop.folder, 'reports')).toSorted().at(-1) ?? 'none';
  const verdictOf = (folder: string): VerdictFile =>
    JSON.parse(readFileSync(join(workshop.folder, folder, 'verdict.json'), 'utf8')) as VerdictFile;

  it('is replayed: the same verdict, and how close that came', async () => {
    const { code, stdout, stderr } = await workshop.run(['replay', bundle, ...ON, '--json']);
    expect(code, stderr).toBe(1);
    expect(stderr).toContain(`live replay of ${bundle}: its traffic and timeline run again`);
    const report = JSON.parse(stdout) as ReplayReport;
    expect(report).toMatchObject({ ran: 'live', verdict: { was: 'fail', is: 'fail' }, exitCode: 1 });
    expect(report.closeness?.moments.map(({ what, was, is }) => [what, was !== null, is !== null])).toEqual([
      ['stop', true, true],
      ['fault', true, true],
      ['stop', true, true],
      ['release', true, true],
    ]);
    expect(report.closeness?.runs.due.share).toBeGreaterThan(0.5);
    expect(report.closeness?.effects.inCommon).toBeGreaterThan(5);
    expect(report.closeness?.effects.by).toBe('run, channel and key');
    expect(verdictOf(report.bundle).verdict).toBe('fail');
    expect(workshop.left()).toEqual([]);
  });

  it('is made smaller: it fails by the same property without them', async () => {
    const args = ['replay', bundle, ...ON, '--minimise', '--tries', TRIES, '--into', 'smallest'];
    const { code, stdout, stderr } = await workshop.run(args);
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/\[1\] dropped the latency of worker-1: it holds/);
    expect(stderr).toMatch(/\[2\] dropped the stop of capability:write\/mail: it holds/);
    expect(stderr.match(/^drilled the smallest again: it holds$/gm)).toHaveLength(2);
    expect(stderr).toContain('run it: killdrill run smallest/scenario.yaml');
    const file = join(workshop.folder, 'smallest', 'scenario.yaml');
    expect(stdout).toBe(readFileSync(file, 'utf8'));
    const { timeline } = loadScenario(file, PROPERTY_NAMES);
    expect(timeline.map((entry) => [entry.kind, 'scope' in entry && entry.scope])).toEqual([
      ['flip', 'tenant'],
      ['release', 'tenant'],
    ]);
    const last = verdictOf(join('reports', newest()));
    expect(last.flips.map(({ kind }) => kind)).toEqual(['stop', 'release']);
    expect(last.properties.find(({ name }) => name === PROPERTY)?.verdict).toBe('fail');
    expect(workshop.left()).toEqual([]);
  });
});
