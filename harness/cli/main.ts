#!/usr/bin/env node
import { CommanderError } from 'commander';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { printable } from '../report/wrap.ts';
import { EXIT, exitCodeOf } from './exit.ts';
import { note } from './output.ts';
import { buildProgram } from './program.ts';

/** The command. Ends with the exit codes of `exit.ts`, and never with a stack for an error that somebody can mend. */
async function main(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.pass;
  const program = buildProgram((answer) => {
    code = answer;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.pass : EXIT.usage;
    note(error instanceof KilldrillError ? `killdrill: ${shownOf(error)}` : `killdrill: unexpected: ${stackOf(error)}`);
    return exitCodeOf(error);
  }
}

/** It may name what agents and strangers made up: nothing of it goes where a terminal would obey it. */
function shownOf(error: KilldrillError): string {
  return messageOf(error).split('\n').map(printable).join('\n');
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What nothing waited for went wrong: Node would end with 1, which says that a fleet failed. */
function endOnBug(error: unknown): void {
  const stack = stackOf(error).split('\n').map(printable).join('\n');
  note(`killdrill: this is a bug of killdrill, and says nothing about the fleet: ${stack}`);
  process.exit(EXIT.error);
}

process.on('uncaughtException', endOnBug);
process.on('unhandledRejection', endOnBug);
process.exit(await main(process.argv.slice(2)));
