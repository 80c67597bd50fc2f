import type { GateReport, ReportedCell, ReportedDrill, ReportedRegression } from '../regression/gate-report.ts';
import { painter, toneOf } from './paint.ts';
import type { Paint, Tone } from './paint.ts';
import { continued, shellWord } from './shell-command.ts';
import { table, widthLeft } from './table.ts';
import { printable, wrap } from './wrap.ts';

export interface GateTableOptions {
  /** Columns of the terminal; at least 60. */
  readonly width: number;
  readonly colour: boolean;
}

const WORDS = { same: 'same', regressed: 'regressed', not_comparable: 'not comparable' } as const;
const ANSWER_TONES: Readonly<Record<string, Tone>> = {
  [WORDS.same]: 'green',
  [WORDS.regressed]: 'red',
  [WORDS.not_comparable]: 'yellow',
};
/** Lines of one finding's evidence; the rest is in its bundle. */
const EVIDENCE_SHOWN = 6;

/** One kept run on one line, as soon as its answer is known. */
export function gateLine(
  one: Pick<ReportedRegression, 'name' | 'answer' | 'flaky'> & {
    readonly drills: readonly Pick<ReportedDrill, 'seconds'>[];
  },
): string {
  const seconds = one.drills.reduce((sum, drill) => sum + drill.seconds, 0);
  const took = one.drills.length === 0 ? 'not drilled' : `${seconds.toFixed(1)} s`;
  const again = one.drills.length > 1 ? ', drilled twice' : '';
  return printable(`${WORDS[one.answer].padEnd(14)}  ${one.name} (${took}${again}${one.flaky ? ', flaky' : ''})`);
}

/** What a gate found: a table of kept runs, one of cells, what is wrong in full, and the verdict as the last line. */
export function renderGate(report: GateReport, { width, colour }: GateTableOptions): string {
  const wide = Math.max(60, width);
  const paint = painter(colour);
  const { gate, environment, seconds, profile, regressions, coverage, verdict, exitCode } = report;
  const runs = `${regressions.length} kept ${regressions.length === 1 ? 'run' : 'runs'}`;
  const part = profile === null ? '' : `, profile ${profile.name}`;
  const title = wrap(`Gate ${gate}${part}, on ${environment}: ${runs} in ${seconds.toFixed(0)} s`, wide);
  const over = overtime(report);
  const ending = paint(`verdict: ${verdict} (exit ${exitCode})`, toneOf(verdict) ?? 'bold');
  return `${[
    [...title.map((line) => paint(line, 'bold')), runTable(regressions, wide, paint)].join('\n'),
    ...(coverage.length === 0 ? [] : [cellTable(coverage, wide, paint)]),
    ...regressions.flatMap((one) => detailsOf(one, wide)),
    ...coverage.flatMap(({ empty }) => (empty === null ? [] : [wrap(`empty cell: ${empty}`, wide).join('\n')])),
    ...(over === null ? [] : [wrap(over, wide).join('\n')]),
    ending,
  ].join('\n\n')}\n`;
}

/** A profile that took longer than it may, a sentence; null for one that did not. */
export function overtime({ profile, seconds, regressions }: GateReport): string | null {
  if (profile === null || !profile.ranOver) return null;
  const took = regressions.map((one) => ({
    ...one,
    seconds: one.drills.reduce((sum, drill) => sum + drill.seconds, 0),
  }));
  const [longest] = took.toSorted((one, other) => other.seconds - one.seconds);
  const most =
    longest === undefined
      ? ''
      : `; the longest was ${longest.name}: ${longest.seconds.toFixed(1)} s${longest.drills.length > 1 ? ', drilled twice' : ''}`;
  return `over its time: profile ${profile.name} took ${seconds.toFixed(1)} s of ${profile.withinSeconds ?? 0} s${most}. That changes no verdict`;
}

function runTable(regressions: readonly ReportedRegression[], width: number, paint: Paint): string {
  const answer = { title: 'answer', width: 14 };
  const kept = { title: 'kept', width: 12 };
  const now = { title: 'now', width: 13 };
  const took = { title: 's', width: 6, align: 'right' } as const;
  const others = [answer, kept, now, took];
  const name = {
    title: 'kept run',
    width: widthLeft(
      width,
      others.map((one) => one.width),
    ),
  };
  const rows = regressions.map((one) => [
    WORDS[one.answer],
    one.kept ?? '–',
    one.drills.length === 0 ? '–' : one.drills.map(({ verdict }) => verdict ?? 'broke off').join(', then '),
    one.drills.map(({ seconds }) => seconds.toFixed(1)).join(' '),
    one.flaky ? `${one.name} (flaky: failed, then passed; it stays failed)` : one.name,
  ]);
  return table([...others, name], rows, { paint: (line, column) => (column === 0 ? toned(line, paint) : line) });
}

function toned(word: string, paint: Paint): string {
  const tone = ANSWER_TONES[word];
  return tone === undefined ? word : paint(word, tone);
}

function cellTable(coverage: readonly ReportedCell[], width: number, paint: Paint): string {
  const scope = { title: 'scope', width: 10 };
  const mode = { title: 'mode', width: 16 };
  const path = { title: 'path', width: 8 };
  const others = [scope, mode, path];
  const by = {
    title: 'shown by',
    width: widthLeft(
      width,
      others.map((one) => one.width),
    ),
  };
  const rows = coverage.map((one) => [
    one.scope,
    one.mode,
    one.path,
    one.empty === null ? one.by.join(', ') : 'nothing: an empty cell',
  ]);
  const empty = (line: string, column: number): string =>
    column === 3 && line.startsWith('nothing: ') ? paint(line, 'red') : line;
  return `${paint('Coverage that gate.yaml demands', 'bold')}\n${table([...others, by], rows, { paint: empty })}`;
}

/** Of a kept run that is as it was, nothing is said but what has changed without harm. */
function detailsOf(one: ReportedRegression, width: number): readonly string[] {
  const notes = one.drills.at(-1)?.notes ?? [];
  if (one.answer === 'same' && one.exitCode === 0 && notes.length === 0) return [];
  const lines = [
    `${one.name}: ${WORDS[one.answer]}`,
    ...one.why.flatMap((why) => indented(why, width)),
    ...one.drills.flatMap((drill) => drill.regressed.flatMap(({ finding }) => evidenceOf(finding.evidence, width))),
    ...notes.flatMap((note) => indented(`note: ${note}`, width)),
    ...one.drills.flatMap((drill) => bundleOf(drill, width)),
    ...(one.answer === 'same' && one.exitCode === 0
      ? []
      : continued(`again: ${printable(`killdrill gate ${shellWord(one.folder)}`)}`, width - 2).map(
          (line) => `  ${line}`,
        )),
  ];
  return [lines.join('\n')];
}

function evidenceOf(evidence: Readonly<Record<string, unknown>>, width: number): readonly string[] {
  const facts = Object.entries(evidence).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const shown = indented(`evidence: ${facts.join(', ')}`, width);
  return facts.length === 0 ? [] : shown.slice(0, EVIDENCE_SHOWN);
}

function bundleOf({ bundle }: ReportedDrill, width: number): readonly string[] {
  return bundle === null ? [] : indented(`bundle: ${bundle}`, width);
}

function indented(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((line) => wrap(line, width - 2).map((piece) => `  ${piece}`));
}
