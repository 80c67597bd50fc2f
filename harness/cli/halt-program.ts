import { Option } from 'commander';
import type { Command } from 'commander';
import { QUEUE_POLICIES, STOP_MODES } from '../../src/switch.ts';
import { wrap } from '../report/wrap.ts';
import type { HaltFlags } from './commands/halt.ts';
import type { WatchFlags } from './commands/watch.ts';
import { HALT_VARIABLES } from './halt-variables.ts';
import { signingKeyOption } from './program-trust.ts';
import { onRecord, onStore } from './store-options.ts';

/** What stops. */
export function addHalt(program: Command, done: (exitCode: number) => void): void {
  onRecord(program.command('halt').description('stop: everything, or a scope and its target such as: tenant acme'))
    .argument(
      '[what...]',
      "a scope and its target, such as: tenant acme; a capability's may end in /* (default: global)",
    )
    .addOption(new Option('--mode <mode>', 'how hard').choices(STOP_MODES).default('halt_all'))
    .addOption(new Option('--queue <policy>', 'what becomes of queued work (default: discard)').choices(QUEUE_POLICIES))
    .option('--drain <duration>', 'let what is queued pass for so long, such as 30s')
    .option('--give-up-after <duration>', 'how long it stays and tries while it is not durable', '10m')
    .addOption(signingKeyOption())
    .option('--wait', 'show each worker until the stop is effective; exit 1 if it is not by then')
    .option('--deadline <duration>', 'with --wait, how long at most', '30s')
    .option('--preview', 'only show what it would hit, and what narrower stops would')
    .option('--resend', 'send what earlier halts kept and have not seen durable')
    .option('--yes', 'ask nothing on a terminal; a script is never asked')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', `\nIt goes every way that is named here, until it is durable:\n${variableLines().join('\n')}`)
    .action(async (what: string[], flags: HaltFlags) =>
      done(await (await import('./commands/halt.ts')).halt(what, flags)),
    );
}

/** What shows stops and releases as they come. */
export function addWatch(program: Command, done: (exitCode: number) => void): void {
  onStore(program.command('watch').description('what is open, and stops and releases as they come, until Ctrl-C'))
    .option('--since <revision>', 'first everything after this flip (0: from the beginning)')
    .option('-q, --quiet', 'no progress')
    .action(async (flags: WatchFlags) => done(await (await import('./commands/watch.ts')).watch(flags)));
}

function variableLines(): readonly string[] {
  return HALT_VARIABLES.flatMap(([name, meaning]) => {
    const [first = '', ...others] = wrap(meaning, 49);
    return [`  ${name.padEnd(27)}${first}`, ...others.map((line) => `${' '.repeat(29)}${line}`)];
  });
}
