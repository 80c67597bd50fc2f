import type { PropertyFinding } from '../checkers/run-checkers.ts';
import type { EffectTally, FlipVerdict, Judgement } from '../checkers/verdict-file.ts';
import type { VerdictChanges } from '../regression/verdict-changes.ts';
import { painter, toneOf, TONES } from './paint.ts';
import type { Paint } from './paint.ts';
import { ms, summaryOf } from './percentile.ts';
import { queueTable } from './queue-table.ts';
import { continued } from './shell-command.ts';
import { table, widthLeft } from './table.ts';
import { renderVerdictChanges } from './verdict-changes.ts';
import { printable, wrap } from './wrap.ts';

export interface ReportOptions {
  /** Columns of the terminal; 80 is what the report is laid out for, and the least is 60. */
  readonly width: number;
  readonly colour: boolean;
  /** The command that runs this drill again. */
  readonly reproduce: string;
  /** What a stored run's judgement was held against; absent for a run's own. */
  readonly changes?: VerdictChanges | undefined;
}

/**
 * A drill's judgement as tables, ending with the verdict, the worst finding and the command that reproduces it. No line
 * is wider than `width`, but for a command of one word that is.
 */
export function renderReport(judgement: Judgement, { width, colour, reproduce, changes }: ReportOptions): string {
  const wide = Math.max(60, width);
  const paint = painter(colour);
  const { scenario, seed, environment, milestones, flips, effects, properties, expectations } = judgement;
  const sections = [
    titled(paint, wrap(`Drill ${scenario}, seed ${seed}, on ${environment}`, wide), []),
    titled(
      paint,
      ['Milestones, since traffic began'],
      milestones.length === 0 ? [] : [milestoneTable(judgement, wide)],
    ),
    ...flips.flatMap((flip) => stopSection(paint, flip, effects, wide)),
    titled(paint, ['Properties'], [findingTable(properties, 'property', wide, paint)]),
    titled(paint, ['Expectations'], [findingTable(expectations, 'expectation', wide, paint)]),
    ...(changes === undefined
      ? []
      : [titled(paint, ["Against the run's own verdict"], renderVerdictChanges(changes, wide))]),
    ending(judgement, reproduce, wide, paint),
  ];
  return `${sections.join('\n\n')}\n`;
}

function titled(paint: Paint, title: readonly string[], blocks: readonly string[]): string {
  return [...title.map((line) => paint(line, 'bold')), ...blocks].join('\n');
}

function milestoneTable({ milestones }: Judgement, width: number): string {
  const at = { title: 's', width: 9, align: 'right' } as const;
  const what = { title: 'milestone', width: widthLeft(width, [at.width]) };
  return table(
    [at, what],
    milestones.map(({ name, atMs }) => [(atMs / 1000).toFixed(3), name]),
  );
}

/** More workers than this are counted instead of listed. */
const WORKERS_SHOWN = 20;

function stopSection(
  paint: Paint,
  flip: FlipVerdict,
  tallies: readonly EffectTally[],
  width: number,
): readonly string[] {
  const { timeToStop, revision } = flip;
  if (timeToStop === null) return [];
  const name = flip.scope === 'global' ? 'global' : `${flip.scope}:${flip.target}`;
  const what = `the stop of ${name} (${flip.mode ?? ''}, revision ${revision})`;
  const shown = timeToStop.workers.slice(0, WORKERS_SHOWN);
  const rest = timeToStop.workers.length - shown.length;
  const state = { title: 'state', width: 11 };
  const regime = { title: 'regime', width: 9 };
  const took = { title: 'time to stop', width: 12, align: 'right' } as const;
  const worker = { title: 'worker', width: widthLeft(width, [state.width, regime.width, took.width]) };
  const rows = shown.map((one) => [one.worker, one.state, one.regime, bounded(one.state, one.ms)]);
  const stopped = timeToStop.workers.flatMap((one) => (one.state === 'stopped' && one.ms !== null ? [one.ms] : []));
  const more = rest > 0 ? [`and ${rest} workers more`] : [];
  const times = [table([worker, state, regime, took], rows), ...more, summaryOf(stopped)];
  const effects = effectTable(
    flip,
    tallies.find((tally) => tally.revision === revision),
    width,
  );
  return [
    titled(paint, wrap(`Workers under ${what}`, width), times),
    titled(paint, wrap(`Effects in scope of ${what}`, width), [effects]),
    ...queueSection(paint, flip, width),
  ];
}

function queueSection(paint: Paint, { queue, scope, target, revision }: FlipVerdict, width: number): readonly string[] {
  if (queue === null) return [];
  const name = scope === 'global' ? 'global' : `${scope}:${target}`;
  const title = `Queue in scope of the stop of ${name} (revision ${revision}): what had not ended when it came`;
  return [titled(paint, wrap(title, width), [queueTable(queue, width)])];
}

/** A time that was cut short is a lower bound. */
function bounded(state: string, value: number | null): string {
  return state === 'censored' || state === 'died' ? `> ${ms(value)}` : ms(value);
}

function effectTable(flip: FlipVerdict, tally: EffectTally | undefined, width: number): string {
  const count = { title: 'n', width: 7, align: 'right' } as const;
  const what = { title: 'arrivals', width: widthLeft(width, [count.width]) };
  const rows: readonly (readonly [string, number | null | undefined])[] = [
    ['before: earlier than the request', tally?.before],
    ["during: from the request to the end of the worker's budget", tally?.during],
    ['after: later than the budget', tally?.after],
    ['straddling: on one side of a boundary or the other', tally?.straddling],
    ['later than the flip was durable (effectsAfterFlip)', flip.effectsAfterFlip],
    ['later than the budget (effectsAfterBudget)', flip.effectsAfterBudget],
    ['of calls started before a suspension (suspendedEffects)', flip.suspendedEffects],
    ["intents after it by the store's order (intentsAfterStop)", flip.intentsAfterStop],
  ];
  return table(
    [count, what],
    rows.map(([label, n]) => [n === null || n === undefined ? '–' : String(n), label]),
  );
}

function findingTable(findings: readonly PropertyFinding[], title: string, width: number, paint: Paint): string {
  const verdict = { title: 'verdict', width: 14 };
  const what = { title: `${title}: reason`, width: widthLeft(width, [verdict.width]) };
  const rows = findings.map((finding) => [finding.verdict, `${finding.name}: ${finding.reason}`]);
  const inTone = (line: string, column: number): string => {
    const tone = column === 0 ? toneOf(line) : null;
    return tone === null ? line : paint(line, tone);
  };
  return table([verdict, what], rows, { paint: inTone, isCompact: false });
}

function ending(judgement: Judgement, reproduce: string, width: number, paint: Paint): string {
  const { verdict, exitCode, worst, notes } = judgement;
  const lines = notes.flatMap((note) => wrap(`note: ${note}`, width));
  lines.push(`${paint(`verdict: ${verdict}`, TONES[verdict])} (exit ${exitCode})`);
  if (worst !== null) lines.push(...wrap(`worst: ${worst.name}: ${worst.reason}`, width), ...evidenceOf(worst, width));
  lines.push(...continued(`reproduce: ${printable(reproduce)}`, width));
  return lines.join('\n');
}

function evidenceOf({ evidence }: PropertyFinding, width: number): readonly string[] {
  const told = Object.entries(evidence).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return told.length === 0 ? [] : wrap(told.join(', '), width - 2).map((line) => `  ${line}`);
}
