import { Command, Help, Option } from 'commander';
import { packageVersion } from '../../src/package-root.ts';
import { ENVIRONMENT_CHOICES, ENVIRONMENT_NAMES } from '../environment/choose.ts';
import { printable, wrap } from '../report/wrap.ts';
import type { DoctorFlags } from './commands/doctor.ts';
import type { LedgerFlags } from './commands/ledger.ts';
import type { MigrateFlags } from './commands/migrate.ts';
import type { ReleaseFlags } from './commands/release.ts';
import type { ResumeFlags } from './commands/resume.ts';
import type { RunFlags } from './commands/run.ts';
import type { StatusFlags } from './commands/status.ts';
import type { SelftestFlags } from './commands/selftest.ts';
import { addControlPlane } from './control-commands.ts';
import { DEFAULT_OUT, DEFAULT_SOON } from './defaults.ts';
import { EXIT_MEANINGS } from './exit.ts';
import { addTrust, signingKeyOption } from './program-trust.ts';
import { addRegressions } from './regression-program.ts';
import { addHalt, addWatch } from './halt-program.ts';
import { addImport } from './import-program.ts';
import { addInit } from './init-program.ts';
import { addReplay } from './replay-program.ts';
import { REPORTER_NAMES } from './reporter-names.ts';
import { onRecord, onStore } from './store-options.ts';

const reporter = (): Option =>
  new Option('--reporter <name[=file]>', `${REPORTER_NAMES.join(', ')}; to stdout or a file; several times for several`)
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([], 'terminal');

type Done = (exitCode: number) => void;

/**
 * The command line. `done` gets the exit code of the command that ran.
 *
 * A command's module is loaded when the command runs: who stops a fleet does not wait for what only drills need.
 */
export function buildProgram(done: Done): Command {
  const program = new Command('killdrill')
    .description('A kill switch for fleets of AI agents, and the drill that proves it works.')
    .version(packageVersion(), '-V, --version')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(shownLines(text)) })
    .configureHelp({ optionDescription: withRequired })
    .showHelpAfterError("(see 'killdrill help')")
    .addHelpText(
      'after',
      `\nExit codes:\n${EXIT_MEANINGS.flatMap(([code, meaning]) => exitCodeLines(code, meaning)).join('\n')}`,
    );
  addRun(program, done);
  addJudging(program, done);
  addRegressions(program, reporter, done);
  addReplay(program, reporter, done);
  addDoctor(program, done);
  addMigrate(program, done);
  addHalt(program, done);
  addWatch(program, done);
  addWayBack(program, done);
  addTrust(program, onStore, done);
  addControlPlane(program, done);
  addStatus(program, done);
  addImport(program, done);
  addInit(program, done);
  return program;
}

/** Commander says what an option is when it is left out, and not that it may not be. */
function withRequired(this: Help, option: Option): string {
  const said = Help.prototype.optionDescription.call(this, option);
  return option.mandatory ? `${said} (required)` : said;
}

/** What was typed is repeated there, and may have been pasted: nothing of it goes where a terminal would obey it. */
function shownLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function exitCodeLines(code: number, meaning: string): readonly string[] {
  const [first = '', ...others] = wrap(meaning, 73);
  return [`  ${String(code).padStart(3)}  ${first}`, ...others.map((line) => `${' '.repeat(7)}${line}`)];
}

function addRun(program: Command, done: Done): void {
  program
    .command('run')
    .description('run drills: start a fleet, stop it, judge what the witness saw')
    .argument('[scenario...]', 'names of shipped scenarios, or paths of files (default: tenant-halt)')
    .addOption(
      new Option('--environment <name>', 'where the servers come from').choices(ENVIRONMENT_CHOICES).default('auto'),
    )
    .option('--seed <number>', "another seed than the scenario's")
    .option('--hold <duration>', 'how long the stop lasts, such as 10s or 1m')
    .option('--out <folder>', 'where bundles go', DEFAULT_OUT)
    .option('--by <name>', 'who drills, for the evidence (default: whom the CI names, or the user who is logged in)')
    .addOption(reporter())
    .option('--json', 'the verdict as JSON on stdout (same as --reporter json)')
    .option('-q, --quiet', 'no progress')
    .action(async (names: string[], flags: RunFlags) =>
      done(await (await import('./commands/run.ts')).run(names, flags)),
    );
}

function addJudging(program: Command, done: Done): void {
  program
    .command('validate')
    .description('read scenarios and say what is wrong with them')
    .argument('[scenario...]', 'names or paths (default: all that are shipped)')
    .option('--json', 'the result as JSON on stdout')
    .action(async (names: string[], flags: { json?: boolean }) =>
      done((await import('./commands/validate.ts')).validate(names, flags)),
    );

  program
    .command('check')
    .description("judge a bundle's stored history anew, offline")
    .argument('<bundle>', 'folder that a drill wrote')
    .addOption(reporter())
    .option('--json', 'the verdict as JSON on stdout (same as --reporter json)')
    .option('-q, --quiet', 'no progress')
    .action(async (bundle: string, flags: { reporter: string[]; json?: boolean; quiet?: boolean }) =>
      done(await (await import('./commands/check.ts')).check(bundle, flags)),
    );

  program
    .command('compare')
    .description('set a stored run beside another: ratios with their noise, and verdicts that changed')
    .argument('<first>', 'folder that a drill wrote')
    .argument('<second>', 'folder that a later drill wrote; exit 1 when a verdict got worse')
    .option('--json', 'the comparison as JSON on stdout')
    .action(async (first: string, second: string, flags: { json?: boolean }) =>
      done(await (await import('./commands/compare.ts')).compare(first, second, flags)),
    );

  program
    .command('selftest')
    .description('drill the harness: every mutant must be failed, every clean fleet passed')
    .argument('[name...]', 'only these mutants or controls (default: all)')
    .option('--rounds <number>', 'how often each', '1')
    .option('--parallel <number>', 'so many at once, each with servers of its own', '1')
    .option('--matrix <file>', 'write the kill matrix there, as Markdown')
    .option('--list', 'only print the names of all mutants and controls')
    .option('--out <folder>', 'where bundles go', DEFAULT_OUT)
    .option('--json', 'the kill matrix as JSON on stdout')
    .option('-q, --quiet', 'no progress')
    .action(async (names: string[], flags: SelftestFlags) =>
      done(await (await import('./commands/selftest.ts')).selftest(names, flags)),
    );
}

function addDoctor(program: Command, done: Done): void {
  program
    .command('doctor')
    .description(
      'try each environment for drills, and say what is missing and how to mend it; or say which drills are due',
    )
    .addOption(new Option('--environment <name...>', 'only these').choices(ENVIRONMENT_NAMES))
    .option('--recover', 'remove what killed harnesses left: processes, folders, containers, external databases')
    .option('--due [folder...]', 'what evidence proves, and what is overdue (default folders: reports, evidence)')
    .option(
      '--calendar <file>',
      'with --due: what has to be drilled and how often (default: calendar.yaml, if it is there)',
    )
    .option('--soon <days>', `with --due: so long before it expires a proof is due soon (default: ${DEFAULT_SOON})`)
    .option('--json', 'the result as JSON on stdout')
    .option('-q, --quiet', 'no progress')
    .action(async (flags: DoctorFlags) => done(await (await import('./commands/doctor.ts')).doctor(flags)));
}

function addMigrate(program: Command, done: Done): void {
  onRecord(program.command('migrate').description('prepare a database, as its owner; safe to run again'))
    .option('--critical <file>', 'what passes a halt_noncritical: YAML with capabilities and classes')
    .option('--expected <pool=count...>', 'workers that should be there, such as default=4; a stop waits for them')
    .option('--closed', 'with --expected: nothing else reaches what these workers reach')
    .action(async (flags: MigrateFlags) => done(await (await import('./commands/migrate.ts')).migrate(flags)));
}

function addWayBack(program: Command, done: Done): void {
  onRecord(program.command('release').description('close engagements, all that are named or none; lists what is open'))
    .argument('[what...]', 'ids of engagements, or a scope and its target such as: tenant acme (default: list)')
    .option('--even-if-red <reason>', 'release although the fleet still runs what it ran at the stop; goes on record')
    .option('--again', 'also what an unsigned release has closed, by ids: agents that know keys still enforce it')
    .addOption(signingKeyOption())
    .option('--yes', 'ask nothing on a terminal; a script is never asked')
    .action(async (what: string[], flags: ReleaseFlags) =>
      done(await (await import('./commands/release.ts')).release(what, flags)),
    );

  onRecord(program.command('resume').description('bring back what was discarded'))
    .argument('[run...]', 'runs that are to go on')
    .option('--tenant <name>', 'everything of this tenant')
    .option('--all-discarded', 'everything')
    .option('--rate <n/s>', 'so many tasks a second, such as 50/s')
    .option('--tenants-every <duration>', 'one tenant after another, so far apart, such as 5s')
    .option('--yes', 'ask nothing on a terminal; a script is never asked')
    .action(async (runs: string[], flags: ResumeFlags) =>
      done(await (await import('./commands/resume.ts')).resume(runs, flags)),
    );

  onRecord(program.command('ledger').description('what landed, and what nobody knows of, with its compensations'))
    .option('--since <revision>', 'only what comes after this flip (default: everything)')
    .option('--close <incarnation/seq...>', 'answer for effects past their deadline that nobody has seen end')
    .option('--csv', 'as CSV on stdout')
    .action(async (flags: LedgerFlags) => done(await (await import('./commands/ledger.ts')).ledger(flags)));
}

function addStatus(program: Command, done: Done): void {
  onStore(program.command('status').description('what is stopped, how far each stop has come, and who is there'))
    .option('--wait <duration>', 'watch until every open stop is effective, or exit 1 after this time, such as 30s')
    .option('--prove', 'stop and release the canary first, and see that every worker refuses it')
    .addOption(signingKeyOption())
    .option('--by <name>', 'who asks; goes on record with the canary (default: the user who is logged in)')
    .action(async (flags: StatusFlags) => done(await (await import('./commands/status.ts')).status(flags)));
}
