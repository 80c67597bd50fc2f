import { dayOf } from '../evidence/days.ts';
import type { DueReport, ReportedDue } from '../evidence/due-report.ts';
import { painter } from './paint.ts';
import type { Paint, Tone } from './paint.ts';
import { table, widthLeft } from './table.ts';
import { printable, wrap } from './wrap.ts';

export interface DueTableOptions {
  /** Columns of the terminal; at least 70. */
  readonly width: number;
  readonly colour: boolean;
}

const TONES: Readonly<Record<ReportedDue['state'], Tone>> = {
  proven: 'green',
  'due soon': 'yellow',
  overdue: 'red',
  failed: 'red',
  'never proven': 'red',
};
const ENDINGS: Readonly<Record<DueReport['answer'], string>> = {
  proven: 'nothing is overdue',
  due: 'something is overdue, has failed or was never proven',
  unread: 'nothing that counts is overdue, but not all of it could be counted',
};
/** Files that are told one by one. */
const MOST_LEFT_OUT = 20;

/** What is due: a table of cells, what is to be done about them, what does not count, and the answer as the last line. */
export function renderDue(report: DueReport, { width, colour }: DueTableOptions): string {
  const wide = Math.max(70, width);
  const paint = painter(colour);
  const { cells, leftOut, notes, evidence, answer, exitCode } = report;
  const drills = `${evidence.drills} ${evidence.drills === 1 ? 'drill' : 'drills'}`;
  const from = report.folders.length === 0 ? 'no folder' : report.folders.join(', ');
  const by = report.calendar === null ? 'no calendar: what was ever drilled, quarterly' : report.calendar;
  const title = wrap(`Due on ${report.now.slice(0, 10)}, by ${drills} in ${from}; ${by}`, wide);
  const told = leftOut
    .slice(0, MOST_LEFT_OUT)
    .map(({ file, line, why }) => `does not count: ${file}${line === null ? '' : `:${line}`}: ${why}`);
  const more = leftOut.length - told.length;
  const sentences = [
    ...cells.flatMap(({ why }) => why ?? []),
    ...told,
    ...(more > 0 ? [`does not count: ${more} files more, which --json names`] : []),
    ...notes.map((note) => `note: ${note}`),
  ];
  const tone = answer === 'proven' ? 'green' : answer === 'due' ? 'red' : 'yellow';
  return `${[
    [...title.map((line) => paint(line, 'bold')), ...(cells.length === 0 ? [] : [cellTable(cells, wide, paint)])].join(
      '\n',
    ),
    ...(sentences.length === 0 ? [] : [sentences.flatMap((one) => wrap(one, wide)).join('\n')]),
    paint(`due: ${ENDINGS[answer]} (exit ${exitCode})`, tone),
  ].join('\n\n')}\n`;
}

function cellTable(cells: readonly ReportedDue[], width: number, paint: Paint): string {
  const state = { title: 'state', width: 12 };
  const cell = { title: 'stop', width: 17 };
  const proven = { title: 'last proven', width: 11 };
  const expires = { title: 'expires', width: 10 };
  const others = [state, cell, proven, expires];
  const by = {
    title: 'by',
    width: widthLeft(
      width,
      others.map((one) => one.width),
    ),
  };
  const rows = cells.map((one) => [
    one.state,
    [one.scope, one.path, one.mode].filter((word) => word !== null).join(' × ') +
      (one.environment === null ? '' : ` on ${one.environment}`),
    one.proven === null ? '–' : dayOf(Date.parse(one.proven.at)),
    one.expires === null ? '–' : dayOf(Date.parse(one.expires)),
    one.proven === null ? '–' : printable(one.proven.run),
  ]);
  const states = new Map<string, Tone>(Object.entries(TONES));
  const toned = (line: string, column: number): string => {
    const tone = column === 0 ? states.get(line) : undefined;
    return tone === undefined ? line : paint(line, tone);
  };
  return table([...others, by], rows, { paint: toned });
}
