import { createHash } from 'node:crypto';
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealedManifest } from '../../harness/bundle/manifest.ts';
import type { FileDigest, Manifest } from '../../harness/bundle/manifest.ts';
import type { HistoryEvent } from '../../harness/history/event.ts';
import type { VerdictFile } from '../../harness/checkers/verdict-file.ts';
import type { Evidence } from '../../harness/evidence/evidence-file.ts';
import { shortDrill } from './short-drill.ts';
import { Workshop } from './workshop.ts';
import type { Ended } from './workshop.ts';

const FILES = [
  'environment.json',
  'evidence.json',
  'evidence.md',
  'history.jsonl.gz',
  'junit.xml',
  'manifest.json',
  'report.html',
  'scenario.yaml',
  'trace.jsonl.gz',
  'verdict.json',
];

describe('a short drill of a sound fleet', () => {
  let workshop: Workshop;
  let drill: Ended;
  let bundle: string;

  beforeAll(async () => {
    workshop = new Workshop();
    const scenario = workshop.write('short.yaml', shortDrill());
    // What a shell says about other servers is none of the drill's business.
    const shell = {
      PGSSLMODE: 'require',
      PGOPTIONS: '-c search_path=elsewhere',
      PGHOST: 'db.invalid',
      PGDATABASE: 'x',
    };
    drill = await workshop.run(
      ['run', scenario, '--environment', 'embedded', '--seed', '5', '--out', 'reports', '--json', '--by', 'a tester'],
      shell,
    );
    const [name = 'none'] = readdirSync(join(workshop.folder, 'reports'));
    bundle = join(workshop.folder, 'reports', name);
  });
  afterAll(() => workshop.close());

  it('passes, and leaves nothing but its bundle', () => {
    expect(drill).toMatchObject({ code: 0 });
    expect(workshop.left()).toEqual([]);
    expect(readdirSync(bundle).toSorted()).toEqual(FILES);
  });

  it('gives the documented verdict as JSON', () => {
    const verdict = JSON.parse(drill.stdout) as VerdictFile;
    expect(verdict).toMatchObject({
      version: 1,
      scenario: 'short',
      seed: 5,
      environment: 'embedded',
      verdict: 'pass',
      exitCode: 0,
      worst: null,
      flips: [
        { revision: 1, kind: 'stop', scope: 'tenant', mode: 'halt_all', effectsAfterBudget: 0, intentsAfterStop: 0 },
        { revision: 2, kind: 'release', scope: 'tenant', mode: null, timeToStop: null },
      ],
    });
    const [stop, release] = verdict.flips;
    expect(stop?.timeToStop).toMatchObject({ n: 2, maxMs: expect.any(Number) as number });
    expect(stop?.timeToStop?.workers.map(({ worker, state, regime }) => [worker, state, regime])).toEqual([
      ['worker-1', 'stopped', 'connected'],
      ['worker-2', 'stopped', 'connected'],
    ]);
    expect(stop?.suspendedEffects).toBe(0);
    expect(stop?.durableAt).toBeGreaterThanOrEqual(stop?.requestedAt ?? Infinity);
    expect(release?.requestedAt).toBeGreaterThan(stop?.durableAt ?? Infinity);
    for (const property of verdict.properties) {
      expect(property).toMatchObject({
        name: expect.stringMatching(/^[a-z_]+$/) as string,
        evidence: expect.anything() as object,
      });
      expect(['pass', 'not_applicable']).toContain(property.verdict);
      expect(property.reason).not.toBe('');
    }
    expect(readFileSync(join(bundle, 'verdict.json'), 'utf8')).toBe(drill.stdout);
  });

  it('is judged the same again, offline, byte for byte', async () => {
    const check = await workshop.run(['check', bundle, '--json']);
    expect(check.code).toBe(drill.code);
    expect(check.stdout).toBe(drill.stdout);
    expect(check.stderr).toContain('nothing was run');
  });

  it('leaves evidence, which proves its stop for a quarter', async () => {
    const evidence = JSON.parse(readFileSync(join(bundle, 'evidence.json'), 'utf8')) as Evidence;
    expect(evidence).toMatchObject({
      who: { name: 'a tester', toldBy: '--by' },
      project: { commit: null, unknownBecause: 'the drill was not run from a git repository' },
      fleet: { command: null, workers: 2 },
      environment: { name: 'embedded' },
      stops: [
        { scope: 'tenant', mode: 'halt_all', path: 'postgres', answer: 'acknowledged', revision: 1, released: true },
      ],
      result: { verdict: 'pass', exitCode: 0 },
      bundle: { manifestSha256: sha256(readFileSync(join(bundle, 'manifest.json'))) },
    });
    expect(evidence.stops[0]?.timeToStop).toMatchObject({ n: 2, workers: { stopped: 2 } });
    expect(Date.parse(evidence.when.end)).toBeGreaterThan(Date.parse(evidence.when.start));
    expect(readFileSync(join(bundle, 'evidence.md'), 'utf8')).toContain(evidence.sha256);
    const due = await workshop.run(['doctor', '--due', bundle]);
    expect(due.code).toBe(0);
    expect(due.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(due.stdout).toMatch(/│ proven +│ tenant × postgres/);
  });

  it('is told from edited evidence, and from what a calendar demands besides', async () => {
    const copy = workshop.write(
      'q.evidence.json',
      readFileSync(join(bundle, 'evidence.json'), 'utf8').replace('a tester', 'x'),
    );
    const edited = await workshop.run(['doctor', '--due', bundle, copy, '--json']);
    expect(edited.code).toBe(3);
    expect(JSON.parse(edited.stdout)).toMatchObject({
      cells: [{ state: 'proven' }],
      leftOut: [{ file: copy, why: expect.stringMatching(/^it was edited/) as string }],
    });
    const text = 'version: 1\ncoverage: [{ scopes: [tenant, global], paths: [postgres] }]\n';
    const calendar = workshop.write('drills.yaml', text);
    const missing = await workshop.run(['doctor', '--due', bundle, '--calendar', calendar]);
    expect(missing.code).toBe(1);
    expect(missing.stdout.replaceAll(/\s+/g, ' ')).toContain('global × postgres: no drill has proven such a stop');
    workshop.write('drills.yaml', text.replace('global', 'globe'));
    const wrong = await workshop.run(['doctor', '--due', bundle, '--calendar', calendar]);
    expect([wrong.code, wrong.stderr]).toEqual([
      3,
      expect.stringMatching(/drills\.yaml:2:31: .*did you mean 'global'/),
    ]);
  });

  it('is judged otherwise once an effect of it is moved behind the stop', async () => {
    const copy = copyOf(bundle, `${bundle}-moved`);
    rewriteHistory(copy, moveAnEffectBehindTheStop);
    rewriteManifest(copy);
    const check = await workshop.run(['check', copy, '--json', '-q']);
    expect(check.code).toBe(1);
    const verdict = JSON.parse(check.stdout) as VerdictFile;
    expect(verdict.verdict).toBe('fail');
    expect(verdict.properties).toContainEqual(
      expect.objectContaining({ name: 'no_effect_after_stop', verdict: 'fail' }),
    );
  });

  it('is not judged at all once a byte of it has changed', async () => {
    const copy = copyOf(bundle, `${bundle}-changed`);
    const trace = join(copy, 'trace.jsonl.gz');
    const bytes = readFileSync(trace);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    writeFileSync(trace, bytes);
    const check = await workshop.run(['check', copy, '--json']);
    expect([3, 4]).toContain(check.code);
    expect(check.stdout).toBe('');
    expect(check.stderr).toMatch(/trace\.jsonl\.gz .* is not as the drill wrote it/);
    expect(check.stderr).not.toMatch(/\n\s+at /);
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function copyOf(bundle: string, to: string): string {
  cpSync(bundle, to, { recursive: true });
  return to;
}

function rewriteHistory(bundle: string, change: (events: readonly HistoryEvent[]) => readonly HistoryEvent[]): void {
  const file = join(bundle, 'history.jsonl.gz');
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  const events = change(lines.map((line) => JSON.parse(line) as HistoryEvent));
  writeFileSync(file, gzipSync(events.map((event) => `${JSON.stringify(event)}\n`).join('')));
}

/** A held call of a primed run: it is in scope of the stop, whatever the stop is. */
function moveAnEffectBehindTheStop(events: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const stop = events.find((event) => event.type === 'flip.requested');
  const moved = events.find((event) => event.type === 'effect.arrived' && event.run.startsWith('primed-'));
  if (stop === undefined || moved?.type !== 'effect.arrived') throw new Error('no stop or no primed effect');
  const laterNs = stop.t1 + 3e9;
  const byNs = (event: HistoryEvent): HistoryEvent =>
    'effect' in event && event.effect === moved.effect ? { ...event, t0: laterNs, t1: laterNs } : event;
  return events.map(byNs);
}

function rewriteManifest(bundle: string): void {
  const file = join(bundle, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const files: Record<string, FileDigest> = {};
  for (const name of Object.keys(manifest.files)) {
    const content = readFileSync(join(bundle, name));
    files[name] = { sha256: sha256(content), bytes: content.length };
  }
  writeFileSync(file, sealedManifest({ files, storeHead: manifest.storeHead }));
}
