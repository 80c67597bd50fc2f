import type { Closeness, Moment, Moments, StopTimes } from '../replay/closeness.ts';
import type { Overlap } from '../replay/overlap.ts';
import { percent } from '../replay/replay-sentence.ts';
import type { ReplayReport } from '../replay/replay-report.ts';
import { painter, toneOf } from './paint.ts';
import { ms } from './percentile.ts';
import { continued, shellWord } from './shell-command.ts';
import { table, widthLeft } from './table.ts';
import { rowOf } from './verdict-changes.ts';
import { printable, wrap } from './wrap.ts';

type Row = readonly [what: string, was: string, is: string, difference: string];

/** How close a replay came: one table, a sentence, and the replay's verdict as the last lines. */
export function renderReplay(
  report: ReplayReport,
  { width, colour }: { readonly width: number; readonly colour: boolean },
): string {
  const wide = Math.max(60, width);
  const paint = painter(colour);
  const { replay, environment, seconds, bundle, verdict, exitCode, worst, closeness, sentence } = report;
  const title = `Live replay of ${replay}, on ${environment}, ${seconds.toFixed(0)} s: the drill was run again`;
  return `${[
    ...wrap(title, wide).map((line) => paint(line, 'bold')),
    rowsTable([...(closeness === null ? [] : rowsOf(closeness)), ...verdictRows(report)], wide),
    ...wrap(sentence, wide),
    ...wrap(`bundle: ${bundle}`, wide),
    `${paint(`verdict: ${verdict.is}`, toneOf(verdict.is) ?? 'bold')} (exit ${exitCode})`,
    ...(worst === null ? [] : wrap(`worst: ${worst.name}: ${worst.reason}`, wide)),
    ...continued(`reproduce: ${printable(`killdrill replay ${shellWord(replay)} --environment ${environment}`)}`, wide),
  ].join('\n')}\n`;
}

function rowsTable(rows: readonly Row[], width: number): string {
  const was = { title: 'then', width: 14, align: 'right' } as const;
  const is = { title: 'now', width: 14, align: 'right' } as const;
  const difference = { title: 'difference', width: 12 };
  const what = { title: 'what', width: widthLeft(width, [was.width, is.width, difference.width]) };
  return table([what, was, is, difference], rows);
}

function rowsOf({ moments, runs, effects, stops }: Closeness): readonly Row[] {
  return [
    ...moments.flatMap(momentRows),
    ...overlapRows('runs that were due', runs.due),
    ...overlapRows('runs handed to workers', runs.handed),
    ...overlapRows(`effects before the first flip, by ${effects.by}`, effects),
    ['– in both, by the same worker', '', String(effects.bySameWorker), `of ${effects.inCommon}`],
    ...stops.map(stopRow),
  ];
}

function momentRows({ what, name, was, is }: Moments): readonly Row[] {
  const label = what === 'fault' ? name : `${what} of ${name}`;
  const of = what === 'fault' ? 'effects' : 'effects in its scope';
  const at = (moment: Moment | null): string => (moment === null ? '–' : `${Math.round(moment.atMs)} ms`);
  const before = (moment: Moment | null): string => String(moment?.effectsBefore ?? '–');
  const [ofTime, ofEffects] =
    was === null || is === null
      ? [was === null ? 'only now' : 'only then', '']
      : [`${signed(Math.round(is.atMs) - Math.round(was.atMs))} ms`, signed(is.effectsBefore - was.effectsBefore)];
  return [
    [label, at(was), at(is), ofTime],
    [`– ${of} before it`, before(was), before(is), ofEffects],
  ];
}

function signed(difference: number): string {
  return difference > 0 ? `+${difference}` : String(difference);
}

function overlapRows(what: string, { was, is, share, onlyThen, onlyNow }: Overlap): readonly Row[] {
  const inBoth: Row = [what, String(was), String(is), share === null ? 'none' : `${percent(share)} in both`];
  const apart: Row = ['– only then, only now', String(onlyThen), String(onlyNow), ''];
  return onlyThen + onlyNow === 0 ? [inBoth] : [inBoth, apart];
}

function stopRow({ name, was, is, ratio }: StopTimes): Row {
  return [`time to stop of ${name}, longest`, ms(was), ms(is), ratio === null ? '–' : `x${ratio.toFixed(2)}`];
}

function verdictRows({ verdict: { was, is }, differing }: ReplayReport): readonly Row[] {
  const others = differing.map((one): Row => {
    const [was, is, name] = rowOf(one);
    return [name, was, is, 'another'];
  });
  return [['verdict', was, is, was === is ? 'the same' : 'another'], ...others];
}
