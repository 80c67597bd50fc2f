import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { KilldrillError } from '../../../src/errors.ts';
import { minimise } from '../../../harness/cli/commands/minimise.ts';
import type { MinimiseFlags } from '../../../harness/cli/commands/minimise.ts';
import { replay } from '../../../harness/cli/commands/replay.ts';
import { exitCodeOf } from '../../../harness/cli/exit.ts';
import { buildProgram } from '../../../harness/cli/program.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const SAMPLE = path('reports/sample');
const OUT = mkdtempSync(join(tmpdir(), 'killdrill-replay-words-'));
afterAll(() => rmSync(OUT, { recursive: true, force: true }));
const FLAGS: MinimiseFlags = { environment: 'embedded', out: OUT, reporter: [] };

async function refused(call: () => Promise<unknown>): Promise<{ readonly code: number; readonly message: string }> {
  try {
    await call();
  } catch (error) {
    if (error instanceof KilldrillError) return { code: exitCodeOf(error), message: error.message };
    throw error;
  }
  return { code: 0, message: '' };
}

describe('replay, before anything is started', () => {
  it.each<[Partial<MinimiseFlags>, RegExp]>([
    [{ tries: 'many' }, /--tries is 'many'; expected a whole number from 1 to 1000/],
    [{ tries: '0' }, /--tries is '0'/],
    [{ for: 'long' }, /--for is 'long'; expected a time up to/],
    [{ for: '0s' }, /--for is '0s'/],
    [{ into: path('reports') }, /which is there already, and nothing is overwritten/],
    [{ reporter: ['json=a.json'] }, /--reporter tells of one drill, and --minimise runs many/],
  ])('refuses to minimise with %j', async (flags, sentence) => {
    const { code, message } = await refused(() => minimise(SAMPLE, { ...FLAGS, ...flags }));
    expect(code).toBe(3);
    expect(message).toMatch(sentence);
  });

  it('refuses a reporter on stdout, what is no run, several kept ones, and words of --minimise without it', async () => {
    const onStdout = await refused(() => replay(SAMPLE, { ...FLAGS, reporter: ['md'] }));
    expect(onStdout).toMatchObject({ code: 3, message: expect.stringMatching(/where the replay's own answer goes/) });
    const none = await refused(() => replay(path('no/such/run'), FLAGS));
    expect(none).toMatchObject({ code: 3, message: expect.stringMatching(/nothing is kept in .*no\/such\/run/) });
    const several = await refused(() => replay(path('scenarios/regressions'), FLAGS));
    expect(several).toMatchObject({ code: 3, message: expect.stringMatching(/several kept runs.*killdrill gate/) });
    const program = buildProgram(() => undefined);
    const words = await refused(() => program.parseAsync(['replay', SAMPLE, '--tries', '3'], { from: 'user' }));
    expect(words).toMatchObject({ code: 3, message: expect.stringMatching(/--tries is given without --minimise/) });
  });
});
