import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findSubjects } from '../../../harness/regression/gate-subject.ts';
import { keepRun } from '../../../harness/regression/keep-run.ts';
import { notDrillable } from '../../../harness/regression/not-drillable.ts';
import { writeRegression } from '../../../harness/regression/write-regression.ts';

const bundleOf = (name: string): string => fileURLToPath(new URL(`../bundle/kept-bundles/${name}`, import.meta.url));
const SIGNED = bundleOf('signed');

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'killdrill-kept-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function kept(name = 'one', bundle = SIGNED): Promise<string> {
  const folder = join(dir, 'kept', name);
  await writeRegression(folder, name, await keepRun(bundle, name));
  return folder;
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

describe('a promoted run', () => {
  it('has its scenario, its traffic and what it showed, and nothing else', async () => {
    const folder = await kept();
    expect(readdirSync(folder).toSorted()).toEqual(['regression.json', 'scenario.yaml', 'trace.jsonl.gz']);
    const { subjects, home } = await findSubjects(join(dir, 'kept'));
    expect(home).toBe(join(dir, 'kept'));
    expect(subjects).toMatchObject([
      {
        kind: 'drillable',
        name: 'one',
        plan: { scenario: { name: 'one', seed: 7, traffic: { kind: 'given', primed: false } } },
        kept: { verdict: 'pass', properties: { stop_was_effective: 'pass', modes_honoured: 'not_applicable' } },
        alertBus: null,
      },
    ]);
  });

  it('keeps how long the run took; of one that was kept without, it is known what it takes at least', async () => {
    const folder = await kept();
    const lengthMs = async () => (await findSubjects(folder)).subjects.map((one) => 'lengthMs' in one && one.lengthMs);
    const [took] = await lengthMs();
    edit(join(folder, 'regression.json'), (text) => text.replace(/,\s*"tookMs": [\d.]+/, ''));
    const [least] = await lengthMs();
    expect(readFileSync(join(folder, 'regression.json'), 'utf8')).not.toContain('tookMs');
    expect(least).toBeGreaterThan(1_000);
    expect(took).toBeGreaterThan(Number(least));
    expect(took).toBeLessThan(60_000);
  });

  it.each(['trace-version-1', 'with-a-queue', 'with-alerts'])('can be kept from an older bundle: %s', async (name) => {
    const { subjects } = await findSubjects(await kept('old', bundleOf(name)));
    expect(subjects).toMatchObject([{ kind: 'drillable', name: 'old' }]);
  });

  it('overwrites nothing', async () => {
    const folder = await kept();
    const before = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'base64'));
    await expect(kept('one', bundleOf('with-alerts'))).rejects.toMatchObject({ code: 'REGRESSION_EXISTS' });
    expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'base64'))).toEqual(before);
  });

  it('is not taken from a bundle that was altered, or whose run never came to a verdict', async () => {
    const copy = join(dir, 'copy');
    cpSync(SIGNED, copy, { recursive: true });
    edit(join(copy, 'verdict.json'), (text) => text.replace('"pass"', '"fail"'));
    await expect(keepRun(copy, 'one')).rejects.toMatchObject({ code: 'BUNDLE_ALTERED' });
    rmSync(join(copy, 'manifest.json'));
    await expect(keepRun(copy, 'one')).rejects.toMatchObject({ code: 'BUNDLE_UNFINISHED' });
    await expect(findSubjects(copy)).rejects.toMatchObject({ code: 'BUNDLE_UNFINISHED' });
  });
});

describe('what a gate finds', () => {
  it('may be a bundle as it stands, verified', async () => {
    const { subjects, home } = await findSubjects(SIGNED);
    expect(home).toBeNull();
    expect(subjects).toMatchObject([{ kind: 'drillable', name: 'signed', kept: { verdict: 'pass' } }]);
  });

  it('is refused when there is nothing, so that nothing is no pass', async () => {
    const empty = join(dir, 'empty');
    mkdirSync(empty);
    await expect(findSubjects(empty)).rejects.toMatchObject({ code: 'REGRESSIONS_MISSING' });
    await expect(findSubjects(join(dir, 'none'))).rejects.toMatchObject({ code: 'REGRESSIONS_MISSING' });
  });

  it.each([
    ['scenario.yaml', 'connected: 600ms', 'connected: 5s', /allows another connectedMs \(5000\).*\(600\)/],
    ['scenario.yaml', 'properties: all', 'properties: [flips_on_record]', /allows another properties/],
    ['scenario.yaml', 'effectsAfterBudget: 0', 'effectsAfterBudget: 9', /allows another effectsAfterBudget/],
    ['scenario.yaml', 'primed: false', 'primed: true', /traffic\.primed/],
    ['scenario.yaml', /traffic: .*/, 'traffic: { effects: 100/s }', /does not take its traffic from trace\.jsonl\.gz/],
    ['scenario.yaml', 'mode: halt_all', 'mode: halt_some', /halt_some/],
    [
      'scenario.yaml',
      /^hold: .*/m,
      'hold: 1s',
      /^its scenario\.yaml is not the one that was kept; promote the run again/,
    ],
    ['scenario.yaml', 'workers: ', 'workers: 1', /scenario\.yaml is not the one that was kept/],
    ['scenario.yaml', /$/, '# a word\n', /scenario\.yaml is not the one that was kept/],
    ['regression.json', '"sha256": "', '"sha256": "0', /sha256/],
    ['regression.json', '"version": 1', '"version": 9', /version is 9, this killdrill reads version 1/],
    ['regression.json', '{', '', /cannot be read/],
  ])('is not compared once %s says %s instead of %s', async (file, from, to, why) => {
    const folder = await kept();
    await kept('two');
    edit(join(folder, file), (text) => text.replace(from, to));
    const { subjects } = await findSubjects(join(dir, 'kept'));
    expect(subjects).toMatchObject([
      { kind: 'lost', name: 'one', why: expect.stringMatching(why) as string },
      { kind: 'drillable', name: 'two' },
    ]);
  });

  it('is the same scenario with the ends of lines that git gives it on another machine', async () => {
    const folder = await kept();
    edit(join(folder, 'scenario.yaml'), (text) => text.replaceAll('\n', '\r\n'));
    expect((await findSubjects(folder)).subjects).toMatchObject([{ kind: 'drillable', name: 'one' }]);
  });

  it('is held to budgets and traffic alone when it was kept before its scenario was noted', async () => {
    const folder = await kept();
    edit(join(folder, 'regression.json'), (text) => {
      const { scenario, ...older } = JSON.parse(text) as Record<string, unknown>;
      expect(scenario).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
      return JSON.stringify(older);
    });
    edit(join(folder, 'scenario.yaml'), (text) => text.replace(/^hold: .*/m, 'hold: 1s'));
    expect((await findSubjects(folder)).subjects).toMatchObject([{ kind: 'drillable', name: 'one' }]);
  });

  it('may be behind a link; one that leads nowhere is a lost run, one to a file is none', async () => {
    const folder = await kept();
    const links = join(dir, 'links');
    mkdirSync(links);
    symlinkSync(folder, join(links, 'by-link'));
    symlinkSync(join(dir, 'none'), join(links, 'nowhere'));
    symlinkSync('round', join(links, 'round'));
    symlinkSync(join(folder, 'scenario.yaml'), join(links, 'to-a-file'));
    expect((await findSubjects(links)).subjects).toMatchObject([
      { kind: 'drillable', name: 'by-link' },
      { kind: 'lost', name: 'nowhere', why: expect.stringMatching(/nowhere.*cannot be read/) as string },
      { kind: 'lost', name: 'round' },
    ]);
  });

  it('is not compared with other traffic, or without its regression.json', async () => {
    const other = await kept('other', bundleOf('with-alerts'));
    cpSync(join(await kept(), 'trace.jsonl.gz'), join(other, 'trace.jsonl.gz'));
    rmSync(join(dir, 'kept', 'one', 'regression.json'));
    const { subjects } = await findSubjects(join(dir, 'kept'));
    expect(subjects.map((one) => one.kind === 'lost' && one.why)).toEqual([
      expect.stringMatching(/regression\.json cannot be read/),
      expect.stringMatching(/trace/),
    ]);
  });
});

describe('notDrillable', () => {
  const embedded = { name: 'embedded', kafka: null } as const;

  it('is nothing here that needs no more than there is', async () => {
    const { subjects } = await findSubjects(SIGNED);
    const [subject] = subjects;
    if (subject?.kind !== 'drillable') throw new Error('lost');
    expect(notDrillable(subject, embedded, null)).toBeNull();
    expect(notDrillable({ ...subject, alertBus: 'postgresql' }, embedded, ['node'])).toBeNull();
    expect(notDrillable({ ...subject, alertBus: 'kafka' }, embedded, null)).toMatch(/its alerts went over Kafka/);
    const { scenario, trace } = subject.plan;
    const deaf = { ...scenario, fleet: { ...scenario.fleet, deafTools: ['model/chat'] } };
    const drilled = { ...subject, plan: { scenario: deaf, trace } };
    expect(notDrillable(drilled, embedded, null)).toBeNull();
    expect(notDrillable(drilled, embedded, ['node'])).toMatch(/kept of the simulated fleet.*model\/chat/);
  });
});
