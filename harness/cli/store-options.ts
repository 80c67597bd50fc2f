import type { Command } from 'commander';

/** A command that works on a namespace of a database. */
export function onStore(command: Command): Command {
  return command
    .option('--database <url>', 'the database (default: KILLDRILL_DATABASE_URL)')
    .option('--namespace <name>', "the fleet's world of switches (default: KILLDRILL_NAMESPACE, or 'default')")
    .option('--json', 'the result as JSON on stdout');
}

/** A command whose asker goes on record. */
export function onRecord(command: Command): Command {
  return onStore(command)
    .option('--by <name>', 'who asks; goes on record (default: the user who is logged in)')
    .option('--reason <text>', 'why; goes on record');
}
