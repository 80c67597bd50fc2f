import type { Command } from 'commander';
import type { ImportFlags } from './commands/import.ts';

/** What makes a drill of an incident. */
export function addImport(program: Command, done: (exitCode: number) => void): void {
  program
    .command('import')
    .description("make a scenario of an incident's own records")
    .requiredOption('--flips <file>', 'stops and releases: CSV or JSON Lines, gzipped or not')
    .option('--alerts <file>', 'what asked for them: CSV or JSON Lines')
    .option('--effects <file>', 'what the fleet did: CSV or JSON Lines')
    .option('--spans <file>', 'what it did, as OpenTelemetry spans (OTLP JSON); besides --effects, or instead')
    .requiredOption('--mapping <file>', 'which of their columns say what, and what of them may be kept: YAML')
    .requiredOption('--out <folder>', 'a new folder for scenario.yaml, trace.jsonl.gz and import.md')
    .option('--json', 'the result as JSON on stdout')
    .option('-q, --quiet', 'no progress')
    .action(async (flags: ImportFlags) => done(await (await import('./commands/import.ts')).importRecords(flags)));
}
