import { Option } from 'commander';
import type { Command } from 'commander';
import { ENVIRONMENT_CHOICES } from '../environment/choose.ts';
import type { MinimiseFlags } from './commands/minimise.ts';
import { DEFAULT_FOR, DEFAULT_OUT, DEFAULT_TRIES } from './defaults.ts';
import { usage } from './usage.ts';

/** What runs a stored run again. */
export function addReplay(program: Command, reporter: () => Option, done: (exitCode: number) => void): void {
  program
    .command('replay')
    .description('run a stored run again on live servers: the same traffic and timeline, and how close it came')
    .argument('<folder>', 'the bundle of a run, or a kept run')
    .addOption(
      new Option('--environment <name>', 'where the servers come from').choices(ENVIRONMENT_CHOICES).default('auto'),
    )
    .option('--out <folder>', 'where bundles go', DEFAULT_OUT)
    .addOption(reporter().default([], 'none'))
    .option('--json', 'what was found as JSON on stdout')
    .option('-q, --quiet', 'no progress')
    .option('--minimise', 'drop faults, stops and traffic while the verdict holds; the smallest scenario on stdout')
    .option('--tries <number>', `with --minimise: so many drills at most (default: ${DEFAULT_TRIES})`)
    .option('--for <duration>', `with --minimise: none is begun any more after this time (default: ${DEFAULT_FOR})`)
    .option('--into <folder>', 'with --minimise: a new folder for scenario.yaml and its trace (default: below --out)')
    .action(
      async (folder: string, { minimise: smaller, ...flags }: MinimiseFlags & { readonly minimise?: boolean }) => {
        if (smaller === true) return done(await (await import('./commands/minimise.ts')).minimise(folder, flags));
        const odd = (['tries', 'for', 'into'] as const).find((name) => flags[name] !== undefined);
        if (odd !== undefined) throw usage(`--${odd} is given without --minimise, which it belongs to`);
        return done(await (await import('./commands/replay.ts')).replay(folder, flags));
      },
    );
}
