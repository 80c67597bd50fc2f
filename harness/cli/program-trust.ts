import { Option } from 'commander';
import type { Command } from 'commander';
import { FLIP_RIGHTS } from '../../src/flip-right.ts';
import type { AuditFlags, SignFlags } from './commands/audit.ts';
import type { KeysFlags } from './commands/keys.ts';

type Done = (exitCode: number) => void;

/** Where an operator's command finds its signing key. */
export function signingKeyOption(): Option {
  return new Option('--key <file>', 'the private key to sign with (default: KILLDRILL_SIGNING_KEY_FILE, or unsigned)');
}

/** Commands about who may flip, and whether the record is what it was. */
export function addTrust(program: Command, onStore: (command: Command) => Command, done: Done): void {
  const audit = program.command('audit').description('verify the record of flips, or sign where it ends');
  onStore(
    audit.command('verify').description('recompute hashes and signatures; says what was altered or is missing'),
  ).action(async (flags: AuditFlags) => done(await (await import('./commands/audit.ts')).auditVerify(flags)));
  onStore(audit.command('sign').description('sign the head, once every release up to it is proven'))
    .addOption(signingKeyOption())
    .option('--as-it-is', 'vouch for releases that nobody has signed, as of before there were keys')
    .action(async (flags: SignFlags) => done(await (await import('./commands/audit.ts')).auditSign(flags)));
  addKeys(program, done);
}

function addKeys(program: Command, done: Done): void {
  const keys = program.command('keys').description('keys that flips are signed with');
  keys
    .command('make')
    .description('make a private key in a new file, and print its public one')
    .argument('<file>', 'where to; it must not be there')
    .addOption(rightOption())
    .option('--json', 'the result as JSON on stdout')
    .action(async (file: string, flags: KeysFlags) => done((await import('./commands/keys.ts')).makeKey(file, flags)));
  keys
    .command('show')
    .description('print the public key of a private one, as KILLDRILL_PUBLIC_KEY takes it')
    .argument('<file>', 'the private key')
    .addOption(rightOption())
    .option('--json', 'the result as JSON on stdout')
    .action(async (file: string, flags: KeysFlags) => done((await import('./commands/keys.ts')).showKey(file, flags)));
}

function rightOption(): Option {
  return new Option('--right <right>', 'what agents are to believe it').choices(FLIP_RIGHTS).makeOptionMandatory();
}
