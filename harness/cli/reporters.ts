import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import type { EnvironmentFile } from '../bundle/environment-file.ts';
import { REPORT_FILES } from '../bundle/write-verdict.ts';
import type { Judgement } from '../checkers/verdict-file.ts';
import type { DrillRecord } from '../drill/drill.ts';
import type { Skipped } from '../drill/lacking.ts';
import type { VerdictChanges } from '../regression/verdict-changes.ts';
import { githubAnnotations, githubSkipped } from '../report/github.ts';
import { renderHtml } from '../report/html/page.ts';
import { junitDocument, junitSuite, skippedSuite, withSuite } from '../report/junit.ts';
import { renderReport } from '../report/terminal.ts';
import { renderMarkdown } from '../report/verdict-markdown.ts';
import { data, mayColour, note } from './output.ts';
import { REPORTER_NAMES } from './reporter-names.ts';
import type { ReporterName } from './reporter-names.ts';
import { usage } from './usage.ts';

export interface Reporter {
  readonly name: ReporterName;
  /** Null: stdout; for `github` stderr, where the runner reads it as well. */
  readonly file: string | null;
}

/** These are one document each, so that stdout holds one drill of them at most. */
const WHOLE_DOCUMENTS: readonly ReporterName[] = ['html', 'junit'];

/**
 * Reads `--reporter name[=file]` (several at once), `--json` and `--quiet`.
 *
 * @param drills how many verdicts there will be
 * @throws KilldrillError `USAGE`
 */
export function resolveReporters(
  flags: { readonly reporter: readonly string[]; readonly json?: boolean },
  drills: 'one' | 'several' = 'one',
): readonly Reporter[] {
  const named = flags.reporter.map(parseReporter);
  const saidTwice = named.some(({ name, file }) => name === 'json' && file === null);
  if (flags.json === true && !saidTwice) named.push({ name: 'json', file: null });
  const toStdout = named.filter(({ name, file }) => file === null && name !== 'github');
  if (toStdout.length > 1) throw usage('two reporters write to stdout; give all but one a file (name=file)');
  const [only] = toStdout;
  if (drills === 'several' && only !== undefined && WHOLE_DOCUMENTS.includes(only.name))
    throw usage(
      `--reporter ${only.name} of several drills is no one document on stdout; give it a file (${only.name}=FILE)`,
    );
  refuseSameFile(named);
  return named.length > 0 ? named : [{ name: 'terminal', file: null }];
}

function refuseSameFile(reporters: readonly Reporter[]): void {
  const files = reporters.flatMap(({ file }) => file ?? []);
  const twice = files.find((file, nth) => files.indexOf(file) !== nth);
  if (twice !== undefined) throw usage(`two reporters write to ${twice}; give each a file of its own`);
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

/** One drill as its reporters get it: the judgement, and this. */
export interface ReportContext {
  readonly reporters: readonly Reporter[];
  readonly reproduce: string;
  readonly bundleFolder: string;
  /** A drill before it has written to the same files: this one is added. */
  readonly isFurther?: boolean;
  /**
   * What the judgement was made from, where that is not the run that wrote the bundle: `html` is drawn from it. Without it
   * `html` is the bundle's own `report.html`.
   */
  readonly judgedAnew?: { readonly record: DrillRecord; readonly environment: EnvironmentFile | null };
  /** What the judgement of a stored run was held against; absent for a run's own. */
  readonly changes?: VerdictChanges;
}

const WIDTH = 80;

/** Gives a verdict to each reporter. One that cannot write does not keep it from the others. */
export function report(judgement: Judgement, context: ReportContext): void {
  const { reporters, isFurther = false, bundleFolder } = context;
  const failures = writeEach(reporters, {
    textOf: (name, colour) => render(name, judgement, context, colour),
    whole: (file) => (isFurther ? besideFirst(file, bundleFolder) : file),
    isFurther,
  });
  if (reporters.some(({ name }) => name === 'github'))
    failures.push(...addToStepSummary(renderMarkdown(judgement, context)));
  if (failures.length === 0) return;
  note(`the verdict is in ${bundleFolder}/verdict.json`);
  throw notWritten(failures);
}

/**
 * Tells those that count verdicts of the scenarios that were not drilled, after the ones that were, so that they miss none.
 * People are told on stderr.
 */
export function reportSkipped(skipped: readonly Skipped[], reporters: readonly Reporter[]): void {
  const machines = reporters.filter(({ name }) => name === 'json' || name === 'junit' || name === 'github');
  const failures = skipped.flatMap((one) =>
    writeEach(machines, { textOf: (name) => skippedText(name, one), whole: (file) => file, isFurther: true }),
  );
  if (failures.length > 0) throw notWritten(failures);
}

function skippedText(name: ReporterName, skipped: Skipped): string {
  if (name === 'junit') return skippedSuite(skipped);
  if (name === 'github') return githubSkipped(skipped);
  return JSON.stringify({ scenario: skipped.scenario, verdict: 'skipped', reason: skipped.why }, null, 2);
}

interface Writing {
  readonly textOf: (name: ReporterName, colour: boolean) => string;
  /** The file of a document that holds one drill only. */
  readonly whole: (file: string) => string;
  readonly isFurther: boolean;
}

/** Answers what could not be made or written. */
function writeEach(reporters: readonly Reporter[], { textOf, whole, isFurther }: Writing): string[] {
  const failures: string[] = [];
  for (const { name, file } of reporters) {
    try {
      const text = textOf(name, file === null && mayColour(process.stdout));
      if (file === null) toStream(name, text);
      else if (name === 'junit') writeJunit(file, text, isFurther);
      else if (name === 'html') writeFileSync(whole(file), text);
      else (isFurther ? appendFileSync : writeFileSync)(file, text.endsWith('\n') ? text : `${text}\n`);
    } catch (error) {
      failures.push(`${file ?? name}: ${messageOf(error)}`);
    }
  }
  return failures;
}

function toStream(name: ReporterName, text: string): void {
  if (name === 'github') note(text);
  else data(name === 'junit' ? junitDocument([text]) : text);
}

function writeJunit(file: string, suite: string, isFurther: boolean): void {
  const longer = isFurther ? withSuite(readFileSync(file, 'utf8'), suite) : junitDocument([suite]);
  if (longer === null) throw new Error('somebody else wrote to it meanwhile');
  writeFileSync(file, longer);
}

/** A page holds one drill: that of a further one gets its bundle's name (`report.html` → `report-<bundle>.html`). */
function besideFirst(file: string, bundleFolder: string): string {
  const ending = extname(file);
  return `${file.slice(0, file.length - ending.length)}-${basename(bundleFolder)}${ending}`;
}

/** Adds to what GitHub shows on the page of a job; nothing outside of GitHub Actions. Answers what could not be written. */
export function addToStepSummary(markdown: string): readonly string[] {
  const file = process.env['GITHUB_STEP_SUMMARY'] ?? '';
  if (file === '') return [];
  try {
    appendFileSync(file, `${markdown}\n`);
    return [];
  } catch (error) {
    return [`GITHUB_STEP_SUMMARY (${file}): ${messageOf(error)}`];
  }
}

export function notWritten(failures: readonly string[]): KilldrillError {
  return new KilldrillError('REPORT_NOT_WRITTEN', `a report could not be written: ${failures.join('; ')}`);
}

/** Of a verdict that is as it was stored, the JSON is the stored one, byte for byte. */
function withChanges(judgement: Judgement, changes: VerdictChanges | undefined): object {
  return changes === undefined || changes.kind === 'same' ? judgement : { ...judgement, changes };
}

function render(name: ReporterName, judgement: Judgement, context: ReportContext, colour: boolean): string {
  const { reproduce, bundleFolder, judgedAnew, changes } = context;
  switch (name) {
    case 'json':
      return JSON.stringify(withChanges(judgement, changes), null, 2);
    case 'terminal':
      return renderReport(judgement, { width: WIDTH, colour, reproduce, changes });
    case 'junit':
      return junitSuite(judgement);
    case 'md':
      return renderMarkdown(judgement, { reproduce, changes });
    case 'github':
      return githubAnnotations(judgement);
    case 'html':
      if (judgedAnew !== undefined) return renderHtml({ ...judgedAnew, judgement });
      return readFileSync(join(bundleFolder, REPORT_FILES.html), 'utf8');
    default:
      throw new TypeError(`unknown reporter ${String(name satisfies never)}`);
  }
}
