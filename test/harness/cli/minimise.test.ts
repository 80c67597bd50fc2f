import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { judge } from '../../../harness/checkers/judge.ts';
import { minimise } from '../../../harness/cli/commands/minimise.ts';
import type { MinimiseFlags } from '../../../harness/cli/commands/minimise.ts';
import { EXIT, InterruptedError, exitCodeOf } from '../../../harness/cli/exit.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf } from '../checkers/history-builder.ts';

/** A run that passed. */
const SAMPLE = fileURLToPath(new URL('../../../reports/sample', import.meta.url));
const passed = judge(recordOf(cleanDrill()));
const failed = { ...passed, verdict: 'fail' };

/** What stands in for servers and drills; `drill` has the number of the one that verifies, 0 for one that tries. */
const fake = vi.hoisted(() => ({
  ...{ stdout: '', stderr: '', folder: '', verified: 0, controller: new AbortController() },
  drill: (_: number): unknown => null,
}));
vi.mock('../../../harness/cli/output.ts', async (importActual) => ({
  ...(await importActual<object>()),
  data: (text: string) => void (fake.stdout += text),
  note: (text: string) => void (fake.stderr += `${text}\n`),
}));
vi.mock('../../../harness/cli/interrupt.ts', () => ({
  interruptible: () => ({ signal: fake.controller.signal, dispose: () => undefined }),
}));
vi.mock('../../../harness/cli/forget-postgres-variables.ts', () => ({ forgetPostgresVariables: () => undefined }));
vi.mock('../../../harness/regression/not-drillable.ts', () => ({ notDrillable: () => null }));
vi.mock('../../../harness/drill/with-environment.ts', () => ({
  withEnvironment: (_choice: unknown, _signal: unknown, use: (ground: object) => unknown) =>
    use({ environment: { facts: {} }, folder: fake.folder, watch: () => undefined }),
}));
vi.mock('../../../harness/drill/run-drill.ts', () => ({
  runDrill: ({ reportsFolder }: { readonly reportsFolder: string }) => {
    const nth = reportsFolder === join(fake.folder, 'reports') ? (fake.verified += 1) : 0;
    return Promise.resolve().then(() => ({ judgement: fake.drill(nth) }));
  },
}));

function interrupted(): never {
  const reason = new InterruptedError('SIGINT');
  fake.controller.abort(reason);
  throw reason;
}

let into = '';
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'killdrill-minimise-'));
  Object.assign(fake, { stdout: '', stderr: '', folder, verified: 0, controller: new AbortController() });
  fake.drill = () => passed;
  into = join(folder, 'parent', 'smallest');
});
afterEach(() => rmSync(fake.folder, { recursive: true, force: true }));

async function minimised(more: Partial<MinimiseFlags> = {}): Promise<number> {
  const flags: MinimiseFlags = { environment: 'embedded', out: join(fake.folder, 'reports'), reporter: [], tries: '3' };
  try {
    return await minimise(SAMPLE, { ...flags, into, ...more });
  } catch (error) {
    fake.stderr += String(error);
    return exitCodeOf(error);
  }
}

/** The folder is made by somebody else while drills run. */
const takenMeanwhile = (nth: number): unknown => {
  if (nth === 1) mkdirSync(into);
  return passed;
};

describe('replay --minimise, its drills apart', () => {
  it('prints what it writes', async () => {
    expect(await minimised(), fake.stderr).toBe(EXIT.pass);
    expect(fake.stdout).toBe(readFileSync(join(into, 'scenario.yaml'), 'utf8'));
    expect(fake.stderr).toMatch(/run it: killdrill run .*smallest\/scenario\.yaml/);
  });

  it('refuses a folder that cannot be made, before any drill', async () => {
    fake.drill = () => interrupted();
    expect(await minimised({ into: '/dev/null/x' })).toBe(EXIT.usage);
    expect(fake.stderr).toMatch(/--into is '\/dev\/null\/x', and .* cannot be made/);
  });

  it('prints the smallest also where its folder cannot be made any more', async () => {
    fake.drill = takenMeanwhile;
    expect(await minimised()).toBe(EXIT.usage);
    expect(fake.stdout).toMatch(/^version: 1$/m);
    expect(fake.stderr).toMatch(/smallest is there already/);
    Object.assign(fake, { stdout: '' });
    rmSync(into, { recursive: true });
    fake.verified = 0;
    expect(await minimised({ json: true })).toBe(EXIT.usage);
    expect(JSON.parse(fake.stdout)).toMatchObject({ scenario: null, yaml: expect.stringMatching(/^version: 1$/m) });
  });

  it('keeps on Ctrl-C what no drill has refuted, and says how often it was drilled', async () => {
    fake.drill = (nth) => (nth === 1 ? failed : nth === 2 ? interrupted() : passed);
    expect(await minimised({ tries: '2', json: true })).toBe(EXIT.interrupted);
    expect(fake.stderr).toMatch(/kept the smallest so far, which was drilled once, and held: /);
    const kept = JSON.parse(fake.stdout) as { readonly from: object };
    // The only smaller one was refuted: this is everything.
    expect(kept).toMatchObject({ interrupted: true, drilled: 1, scenario: join(into, 'scenario.yaml'), to: kept.from });
  });

  it('keeps nothing on Ctrl-C when nothing holds any more', async () => {
    fake.drill = (nth) => (nth === 0 ? interrupted() : passed);
    expect(await minimised()).toBe(EXIT.interrupted);
    expect(fake.stderr).toMatch(/nothing has held so far/);
    expect([fake.stdout, existsSync(into)]).toEqual(['', false]);
  });

  it('ends on Ctrl-C with the exit code of Ctrl-C, also where the folder cannot be made any more', async () => {
    fake.drill = (nth) => (nth === 2 ? interrupted() : takenMeanwhile(nth));
    expect(await minimised()).toBe(EXIT.interrupted);
    expect(fake.stdout).toMatch(/^version: 1$/m);
    expect(fake.stderr).toMatch(/printed the smallest so far, which was drilled 2 times.* kept it nowhere: .*already/);
  });
});
