import { Command, Option } from 'commander';
import { packageVersion } from '../../src/package-root.ts';
import { check } from './commands/check.ts';
import { migrate } from './commands/migrate.ts';
import { DEFAULT_OUT, run } from './commands/run.ts';
import type { RunFlags } from './commands/run.ts';
import { selftest } from './commands/selftest.ts';
import type { SelftestFlags } from './commands/selftest.ts';
import { validate } from './commands/validate.ts';
import { EXIT_MEANINGS } from './exit.ts';
import { REPORTER_NAMES } from './reporters.ts';

const reporter = (): Option =>
  new Option(
    '--reporter <name[=file]>',
    `${REPORTER_NAMES.join(' or ')}, to stdout or a file; may be given several times`,
  )
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([], 'terminal');

type Done = (exitCode: number) => void;

/** The command line. `done` gets the exit code of the command that ran. */
export function buildProgram(done: Done): Command {
  const program = new Command('killdrill')
    .description('A kill switch for fleets of AI agents, and the drill that proves it works.')
    .version(packageVersion(), '-V, --version')
    .exitOverride()
    .showHelpAfterError("(see 'killdrill help')")
    .addHelpText(
      'after',
      `\nExit codes:\n${EXIT_MEANINGS.map(([code, meaning]) => `  ${code}  ${meaning}`).join('\n')}`,
    );
  addRun(program, done);
  addJudging(program, done);
  addMigrate(program, done);
  return program;
}

function addRun(program: Command, done: Done): void {
  program
    .command('run')
    .description('run drills: start a fleet, stop it, judge what the witness saw')
    .argument('[scenario...]', 'names of shipped scenarios, or paths of files (default: tenant-halt)')
    .addOption(
      new Option('--environment <name>', 'where the servers come from').choices(['embedded']).default('embedded'),
    )
    .option('--seed <number>', "another seed than the scenario's")
    .option('--hold <duration>', 'how long the stop lasts, such as 10s or 1m')
    .option('--out <folder>', 'where bundles go', DEFAULT_OUT)
    .addOption(reporter())
    .option('--json', 'the verdict as JSON on stdout (same as --reporter json)')
    .option('-q, --quiet', 'no progress')
    .action(async (names: string[], flags: RunFlags) => done(await run(names, flags)));
}

function addJudging(program: Command, done: Done): void {
  program
    .command('validate')
    .description('read scenarios and say what is wrong with them')
    .argument('[scenario...]', 'names or paths (default: all that are shipped)')
    .option('--json', 'the result as JSON on stdout')
    .action((names: string[], flags: { json?: boolean }) => done(validate(names, flags)));

  program
    .command('check')
    .description("judge a bundle's stored history anew, offline")
    .argument('<bundle>', 'folder that a drill wrote')
    .addOption(reporter())
    .option('--json', 'the verdict as JSON on stdout (same as --reporter json)')
    .option('-q, --quiet', 'no progress')
    .action(async (bundle: string, flags: { reporter: string[]; json?: boolean; quiet?: boolean }) =>
      done(await check(bundle, flags)),
    );

  program
    .command('selftest')
    .description('drill the harness: every mutant must be failed, every clean fleet passed')
    .argument('[name...]', 'only these mutants or controls (default: all)')
    .option('--rounds <number>', 'how often each', '1')
    .option('--out <folder>', 'where bundles go', DEFAULT_OUT)
    .option('--json', 'the kill matrix as JSON on stdout')
    .option('-q, --quiet', 'no progress')
    .action(async (names: string[], flags: SelftestFlags) => done(await selftest(names, flags)));
}

function addMigrate(program: Command, done: Done): void {
  program
    .command('migrate')
    .description('prepare a database, as its owner; safe to run again')
    .option('--database <url>', 'the database (default: KILLDRILL_DATABASE_URL)')
    .option('--namespace <name>', "the fleet's world of switches (default: KILLDRILL_NAMESPACE, or 'default')")
    .option('--json', 'the result as JSON on stdout')
    .action(async (flags: { database?: string; namespace?: string; json?: boolean }) => done(await migrate(flags)));
}
