import { Option } from 'commander';
import type { Command } from 'commander';
import { CI_NAMES } from '../init/ci-names.ts';
import type { InitFlags } from './commands/init.ts';

/** What puts drills into a project. */
export function addInit(program: Command, done: (exitCode: number) => void): void {
  program
    .command('init')
    .description('write a first scenario, a gate.yaml and a CI workflow for a project; overwrites nothing')
    .argument('[folder]', "the project's", '.')
    .option(
      '--fleet <command>',
      'what starts one worker, such as "node worker.js" (default: what the project suggests)',
    )
    .addOption(new Option('--ci <name>', 'which CI there is (default: what the project suggests)').choices(CI_NAMES))
    .option('--dry-run', 'only say what would be written')
    .option('--json', 'the result as JSON on stdout')
    .action(async (folder: string, flags: InitFlags) => done((await import('./commands/init.ts')).init(folder, flags)));
}
