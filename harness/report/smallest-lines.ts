import { VERIFY_DRILLS } from '../replay/find-smallest.ts';
import type { Found } from '../replay/find-smallest.ts';
import type { Step } from '../replay/minimise.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { formatDuration } from '../scenario/quantity.ts';
import { effectsOfRuns } from '../traffic/ordinary.ts';
import type { DrillPlan } from '../traffic/plan-drill.ts';
import { wrap } from './wrap.ts';

/** One candidate that was drilled, as soon as it is known. */
export function stepLine({ without, held, why }: Step, nth: number, width: number): string {
  const said = held ? `dropped ${without}: it holds` : `kept ${without}: without, ${why ?? 'it does not hold'}`;
  return wrap(`[${nth}] ${said}`, width).join('\n');
}

type FoundSmallest = Extract<Found, { kind: 'found' }>;

/** What the search came to, `plan` being everything and `tries` the drills it had at most. */
export function endLines(
  found: FoundSmallest,
  { plan, tries }: { readonly plan: DrillPlan; readonly tries: number },
  width: number,
): readonly string[] {
  const { smallest, steps, refused, spent, wentBack } = found;
  const ended = spent ? [`tries or time (${tries} drills) ended before everything was tried`] : [];
  // What was gone back to was cut further, and not in every way: whether more can be dropped is not known.
  const minimal = !spent && wentBack === 0 ? ['nothing more can be dropped'] : [];
  return [
    `left: ${sizeSentence(sizeOf(plan), sizeOf(smallest.plan))}`,
    `each of ${steps.length} steps was drilled once, what is left in ${VERIFY_DRILLS} drills more: it holds in each`,
    ...(wentBack === 0 ? [] : [backSentence(found)]),
    [...ended, ...minimal, `${refused} candidates were no scenario, and not drilled`].join('; '),
  ].flatMap((line) => wrap(line, width));
}

function backSentence({ wentBack, notAgain }: FoundSmallest): string {
  if (notAgain > 0)
    return `${wentBack + notAgain} smaller ones held once; the ${wentBack} smallest were drilled again and did not hold, the others (${notAgain}) were not drilled again: this is everything`;
  return wentBack === 1
    ? '1 smaller one held once, was drilled again, and did not hold'
    : `${wentBack} smaller ones held once, were drilled again, and did not hold`;
}

/** How much a drill is. */
export interface Size {
  readonly entries: number;
  readonly faults: number;
  readonly stops: number;
  readonly runs: number;
  readonly effects: number;
  readonly holdMs: number;
  readonly settleMs: number;
}

export function sizeOf({ scenario, trace }: DrillPlan): Size {
  const { timeline, holdMs, settleMs } = scenario;
  const count = (kind: Scenario['timeline'][number]['kind']): number =>
    timeline.filter((entry) => entry.kind === kind).length;
  return {
    ...{ entries: timeline.length, faults: count('fault'), stops: count('flip') },
    ...{ runs: trace.runs.length, effects: effectsOfRuns(trace.runs), holdMs, settleMs },
  };
}

/** What is left of what there was. */
export function sizeSentence(from: Size, to: Size): string {
  const left = (what: string, was: number, is: number): string => `${is} of ${was} ${what}`;
  return [
    left('faults', from.faults, to.faults),
    left('stops', from.stops, to.stops),
    left('entries in all', from.entries, to.entries),
    left('runs', from.runs, to.runs),
    left('planned effects', from.effects, to.effects),
    `hold ${formatDuration(to.holdMs)} (was ${formatDuration(from.holdMs)})`,
    `settle ${formatDuration(to.settleMs)} (was ${formatDuration(from.settleMs)})`,
  ].join(', ');
}
