import { Option } from 'commander';
import type { Command } from 'commander';
import { STOP_MODES } from '../../src/switch.ts';
import { signingKeyOption } from './program-trust.ts';
import type { ApiKeyFlags } from './commands/api-key.ts';
import type { ServeFlags } from './commands/serve.ts';

const DEFAULT_KEYS = 'killdrill-keys.json';

/** The control plane's own commands. */
export function addControlPlane(program: Command, done: (exitCode: number) => void): void {
  program
    .command('serve')
    .description('serve the control API: stop, release, and see what is stopped')
    .option('--database <url>', 'the database (default: KILLDRILL_DATABASE_URL)')
    .option('--namespace <name>', "the fleet's world of switches (default: KILLDRILL_NAMESPACE, or 'default')")
    .option('--keys <file>', "hashes of the API's keys, as killdrill api-key makes it", DEFAULT_KEYS)
    .option('--host <address>', 'where it listens', '127.0.0.1')
    .option('--port <number>', '0 for any that is free', '8710')
    .option('--spool <folder>', "where stops are kept until the store has them; this process's own", 'killdrill-spool')
    .addOption(signingKeyOption())
    .option('--tls-cert <file>', 'certificate and chain, PEM: HTTPS instead of HTTP')
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--executor <file>', 'read alerts here too; the file has the keys of detectors, JSON')
    .addOption(
      new Option('--alert-queue <policy>', 'with --executor: what becomes of queued work (default: discard)').choices([
        'discard',
        'park',
      ]),
    )
    .addOption(
      new Option('--alert-mode <mode>', 'with --executor: the strictest mode of its stops').choices(STOP_MODES),
    )
    .option('--signed-only', 'with --executor: alerts without a signature are dead letters')
    .option('--detectors <file>', 'look for too many writes in the journal, and raise alerts; YAML')
    .option('--detector-key <file>', 'with --detectors: the private key that signs their alerts, PEM')
    .option(
      '--brokers <host:port,...>',
      'alerts travel over Kafka (default: over the database); for --sink kafka:TOPIC',
    )
    .option('--topic <name>', 'where alerts are')
    .option('--group <name>', 'with --executor and --brokers: another one for each database on the brokers')
    .option('--canary-every <duration>', 'see so often, such as 10m, that a stop reaches every worker; it stops nobody')
    .option(
      '--sink <where>',
      'tell it of every flip: jsonl:FILE, webhook:URL or kafka:TOPIC; several times',
      collected,
      [],
    )
    .option('--sink-positions <folder>', 'where it is kept how far each sink was told', 'killdrill-sinks')
    .option('--mirror-state-file <file>', 'keep this state file equal to the store')
    .option('--mirror-key <file>', 'what seals it: an Ed25519 private key (PEM), or the secret of an HMAC')
    .option('--json', 'the address as JSON on stdout')
    .action(async (flags: ServeFlags) => done(await (await import('./commands/serve.ts')).serve(flags)));

  program
    .command('api-key')
    .description('make a key for the control API; it is printed once')
    .argument('<kind>', 'what it is for: stop, release or read')
    .argument('<name>', 'whose it is; goes on record with what it does')
    .option('--keys <file>', 'where its hash goes', DEFAULT_KEYS)
    .option('--json', 'the key as JSON on stdout')
    .action(async (kind: string, name: string, flags: ApiKeyFlags) =>
      done((await import('./commands/api-key.ts')).apiKey(kind, name, flags)),
    );
}

function collected(one: string, before: readonly string[]): readonly string[] {
  return [...before, one];
}
