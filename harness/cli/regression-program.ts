import { Option } from 'commander';
import type { Command } from 'commander';
import { ENVIRONMENT_CHOICES } from '../environment/choose.ts';
import type { GateFlags } from './commands/gate.ts';
import type { PromoteFlags } from './commands/promote.ts';
import { DEFAULT_OUT, DEFAULT_REGRESSIONS } from './defaults.ts';

/** What keeps runs, and drills them again. */
export function addRegressions(program: Command, reporter: () => Option, done: (exitCode: number) => void): void {
  program
    .command('promote')
    .description('keep a run as a regression: what a drill of it needs, without names or history')
    .argument('<bundle>', 'folder that a drill wrote')
    .requiredOption('--name <name>', 'what it is called from now on')
    .option('--dir <folder>', 'where kept runs are', DEFAULT_REGRESSIONS)
    .option('--json', 'what was kept and dropped as JSON on stdout')
    .option('-q, --quiet', 'no words beside it')
    .action(async (bundle: string, flags: PromoteFlags) =>
      done(await (await import('./commands/promote.ts')).promote(bundle, flags)),
    );

  program
    .command('gate')
    .description('drill what is kept against the fleet as it is now: same, regressed, or not comparable')
    .argument('[folder]', 'kept runs with their gate.yaml, a single one, or the bundle of any run', DEFAULT_REGRESSIONS)
    .addOption(
      new Option('--environment <name>', 'where the servers come from').choices(ENVIRONMENT_CHOICES).default('auto'),
    )
    .option('--profile <name>', 'only the runs, the time and the coverage of this profile of gate.yaml, such as pr')
    .option('--out <folder>', 'where bundles go', DEFAULT_OUT)
    .addOption(reporter().default([], 'none'))
    .option('--json', 'what was found as JSON on stdout')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', '\nWhat fails is drilled once more: both drills are shown, and it stays failed.')
    .action(async (folder: string, flags: GateFlags) =>
      done(await (await import('./commands/gate.ts')).gate(folder, flags)),
    );
}
