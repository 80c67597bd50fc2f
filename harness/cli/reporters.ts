import { appendFileSync, writeFileSync } from 'node:fs';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { Skipped } from '../drill/lacking.ts';
import { renderReport } from '../report/terminal.ts';
import { data, mayColour, note } from './output.ts';
import { usage } from './usage.ts';

/** What a drill's verdict may be printed as. */
export const REPORTER_NAMES = ['terminal', 'json'] as const;
export type ReporterName = (typeof REPORTER_NAMES)[number];

export interface Reporter {
  readonly name: ReporterName;
  /** Null: stdout. */
  readonly file: string | null;
}

export interface ReportContext {
  readonly reporters: readonly Reporter[];
  readonly reproduce: string;
  readonly bundleFolder: string;
  /** A drill before it has written to the same files: this one is added. */
  readonly isFurther?: boolean;
}

const WIDTH = 80;

/**
 * Reads `--reporter name[=file]` (several at once), `--json` and `--quiet`.
 *
 * @throws KilldrillError `USAGE`
 */
export function resolveReporters(flags: {
  readonly reporter: readonly string[];
  readonly json?: boolean;
}): readonly Reporter[] {
  const named = flags.reporter.map(parseReporter);
  const saidTwice = named.some(({ name, file }) => name === 'json' && file === null);
  if (flags.json === true && !saidTwice) named.push({ name: 'json', file: null });
  if (named.filter(({ file }) => file === null).length > 1)
    throw usage('two reporters write to stdout; give all but one a file (name=file)');
  return named.length > 0 ? named : [{ name: 'terminal', file: null }];
}

function parseReporter(text: string): Reporter {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const known = REPORTER_NAMES.find((one) => one === name);
  if (known === undefined)
    throw usage(
      `--reporter is '${name}'; expected one of ${REPORTER_NAMES.join(', ')}, with =FILE if it is to go to a file`,
    );
  if (at >= 0 && at === text.length - 1) throw usage(`--reporter '${text}' names no file after the =`);
  return { name: known, file: at < 0 ? null : text.slice(at + 1) };
}

/** Gives a verdict to each reporter. One that cannot write does not keep it from the others. */
export function report(judgement: Judgement, context: ReportContext): void {
  const { reporters, isFurther = false, bundleFolder } = context;
  const failures = writeEach(reporters, isFurther, (name, colour) => render(name, judgement, context, colour));
  if (failures.length === 0) return;
  note(`the verdict is in ${bundleFolder}/verdict.json`);
  throw notWritten(failures);
}

/**
 * Tells those that read JSON of the scenarios that were not drilled, after the ones that were: whoever counts verdicts
 * misses none. People are told on stderr.
 */
export function reportSkipped(skipped: readonly Skipped[], reporters: readonly Reporter[]): void {
  const machines = reporters.filter(({ name }) => name === 'json');
  const failures = skipped.flatMap(({ scenario, why }) =>
    writeEach(machines, true, () => JSON.stringify({ scenario, verdict: 'skipped', reason: why }, null, 2)),
  );
  if (failures.length > 0) throw notWritten(failures);
}

/** Answers what could not be written. */
function writeEach(
  reporters: readonly Reporter[],
  isFurther: boolean,
  textFor: (name: ReporterName, colour: boolean) => string,
): readonly string[] {
  const failures: string[] = [];
  for (const { name, file } of reporters) {
    const text = textFor(name, file === null && mayColour(process.stdout));
    if (file === null) {
      data(text);
      continue;
    }
    try {
      const write = isFurther ? appendFileSync : writeFileSync;
      write(file, text.endsWith('\n') ? text : `${text}\n`);
    } catch (error) {
      failures.push(`${file}: ${messageOf(error)}`);
    }
  }
  return failures;
}

function notWritten(failures: readonly string[]): KilldrillError {
  return new KilldrillError('REPORT_NOT_WRITTEN', `a report could not be written: ${failures.join('; ')}`);
}

function render(name: ReporterName, judgement: Judgement, context: ReportContext, colour: boolean): string {
  switch (name) {
    case 'json':
      return JSON.stringify(judgement, null, 2);
    case 'terminal':
      return renderReport(judgement, { width: WIDTH, colour, reproduce: context.reproduce });
    default:
      throw new TypeError(`unknown reporter ${String(name satisfies never)}`);
  }
}
