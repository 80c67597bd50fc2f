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
