import { switchMatches } from '../../src/switch.ts';
import type { Switch } from '../../src/switch.ts';
import { steadyPerSecond } from '../scenario/given-figures.ts';
import { onTrace } from '../scenario/given-trace.ts';
import type { Anchor, Scenario } from '../scenario/scenario.ts';
import { rootOf } from '../traffic/family-plan.ts';
import { subjectOf } from '../traffic/in-scope.ts';
import type { DrillPlan } from '../traffic/plan-drill.ts';
import { TRACE_FILE } from '../traffic/trace-file.ts';
import type { Trace, TraceRun } from '../traffic/trace.ts';
import { reducedTimeline } from './reduce-timeline.ts';

/** What of a drill is left. */
export interface Selection {
  /** Indices of the timeline. */
  readonly entries: readonly number[];
  /** Ids of the runs that families of runs begin with: a child goes with its parent. */
  readonly families: readonly string[];
  readonly holdMs: number;
  readonly settleMs: number;
}

/** Everything. */
export function wholeOf({ scenario, trace }: DrillPlan): Selection {
  return {
    entries: [...scenario.timeline.keys()],
    families: [...new Set(trace.runs.map(rootOf))],
    holdMs: scenario.holdMs,
    settleMs: scenario.settleMs,
  };
}

/**
 * The drill with nothing but what is selected. What is counted in traffic shrinks with it: the n of `after: effect n of …`, and
 * the least rate of the steady state.
 */
export function reducedPlan({ scenario, trace }: DrillPlan, selection: Selection): DrillPlan {
  const { entries, families, holdMs, settleMs } = selection;
  const wanted = new Set(families);
  const runs = trace.runs.filter((run) => wanted.has(rootOf(run)));
  const timeline = reducedTimeline({ timeline: scenario.timeline, holdMs }, new Set(entries)).map((entry) => ({
    ...entry,
    when: scaled(entry.when, trace.runs, wanted),
  }));
  const left: Trace = {
    header: { ...trace.header, generator: { ...trace.header.generator, runs: runs.length } },
    runs,
  };
  const steadyState = scaledSteady(scenario.steadyState, trace.runs, runs);
  const reduced: Scenario = { ...scenario, timeline, steadyState, holdMs, settleMs };
  return { scenario: onTrace(reduced, left, TRACE_FILE), trace: left };
}

/** Of the first n effects in scope that the whole trace plans, as many as are left; at least one. */
function scaled(when: Anchor, all: readonly TraceRun[], families: ReadonlySet<string>): Anchor {
  if (when.kind !== 'effect') return when;
  let counted = 0;
  let left = 0;
  for (const run of all) {
    const inScope = Math.min(plannedIn(when, run), when.count - counted);
    counted += inScope;
    if (families.has(rootOf(run))) left += inScope;
    if (counted >= when.count) break;
  }
  // What the plans do not have (attempts that came again) is not taken off.
  return { ...when, count: Math.max(1, left + (families.size === 0 ? 0 : when.count - counted)) };
}

function plannedIn(on: Switch, run: TraceRun): number {
  return run.plan.filter(({ capability }) => switchMatches(on, subjectOf(run, capability))).length;
}

function scaledSteady(
  { forMs, effectsPerSecond: { min } }: Scenario['steadyState'],
  all: readonly TraceRun[],
  left: readonly TraceRun[],
): Scenario['steadyState'] {
  const [before, after] = [steadyPerSecond(all, forMs), steadyPerSecond(left, forMs)];
  const share = before === 0 ? 1 : after / before;
  return { forMs, effectsPerSecond: { min: Math.floor(min * share) } };
}
