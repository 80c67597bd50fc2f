import { readdirSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { scenarioPath } from '../../harness/cli/find-scenario.ts';
import { buildProgram } from '../../harness/cli/program.ts';
import { deedsOf } from './guide.ts';

const GUIDES = readdirSync(new URL('../../docs/guides', import.meta.url)).map((name) => `docs/guides/${name}`);
const COMMANDS = ['README.md', 'CONTRIBUTING.md', ...GUIDES].flatMap((page) =>
  deedsOf(page).flatMap((deed) =>
    deed.kind === 'command' && deed.line.startsWith('npx killdrill ') ? [[page, deed.line] as const] : [],
  ),
);

/** As a shell splits it, for the quotes that the pages use; where its output goes is no word of the command. */
function wordsOf(line: string): readonly string[] {
  return Array.from(
    line.replace(/ > \S+$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g),
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
}

/** What the command line makes of it; nothing is run. */
async function understood(line: string): Promise<{ readonly name: string; readonly given: readonly string[] }> {
  let found = { name: '', given: [] as readonly string[] };
  const program = buildProgram(() => undefined);
  program.configureOutput({ writeErr: () => undefined });
  for (const command of program.commands as Command[]) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    command.action(() => {
      found = { name: command.name(), given: command.args };
    });
  }
  await program.parseAsync(wordsOf(line).slice(2), { from: 'user' });
  return found;
}

describe('a command that a page tells', () => {
  it('is found on the pages', () => {
    expect(COMMANDS.length).toBeGreaterThan(15);
    expect(new Set(COMMANDS.map(([page]) => page))).toContain('README.md');
  });

  it.each(COMMANDS)('of %s is one that there is: %s', async (_page, line) => {
    const { name, given } = await understood(line);
    expect(name).not.toBe('');
    if (name === 'run') for (const scenario of given) expect(scenarioPath(scenario)).toMatch(/\.yaml$/);
  });

  it('is refused when its flags or its name are no more', async () => {
    await expect(understood('npx killdrill release --gone')).rejects.toThrow(/unknown option/);
    await expect(understood('npx killdrill gone')).rejects.toThrow();
  });
});
