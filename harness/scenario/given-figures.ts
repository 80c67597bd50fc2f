import { switchMatches } from '../../src/switch.ts';
import { subjectOf } from '../traffic/in-scope.ts';
import { effectsOfRuns, effectsWithin, isOrdinary } from '../traffic/ordinary.ts';
import { resolveSelectors } from '../traffic/resolve-selectors.ts';
import { firstStopMs } from '../traffic/stop-window.ts';
import type { Complaint } from './complaint.ts';
import { LIMITS } from './limits.ts';
import { formatDuration, formatRate } from './quantity.ts';
import type { GivenTraffic, Scenario } from './scenario.ts';

const OF_TRACE = ['traffic', 'trace'] as const;

/** What is wrong with a scenario and the trace that it is given, taken together. */
export function givenFigures(scenario: Scenario, traffic: GivenTraffic): readonly Complaint[] {
  const { trace } = traffic;
  const effects = effectsOfRuns(trace.runs);
  if (effects > LIMITS.traceEffects) {
    const fix = 'cut the trace to the time around the stops';
    const expected = `at most ${LIMITS.traceEffects}`;
    return [{ path: OF_TRACE, found: `a trace of ${effects} effects`, expected, fix }];
  }
  return [
    ...plantedFigures(scenario, traffic),
    ...endFigures(scenario, traffic),
    ...steadyFigures(scenario, traffic),
    ...anchorFigures(scenario, traffic),
  ];
}

/** What is there for the stops is in the trace, or it is added to it. */
function plantedFigures({ timeline }: Scenario, { primed, trace }: GivenTraffic): readonly Complaint[] {
  const planted = trace.runs.filter((run) => !isOrdinary(run));
  if (primed && planted.length > 0) {
    const found = `primed: true, and a trace with ${planted.length} such runs already, the first of them '${planted[0]?.run ?? ''}'`;
    const expected = 'a trace of ordinary runs only';
    return [{ path: ['traffic', 'primed'], found, expected, fix: 'remove primed: this trace is a whole drill’s' }];
  }
  const noticed = timeline.findIndex((entry) => entry.kind === 'flip' && entry.via === 'detector');
  if (primed || noticed < 0 || planted.some(({ runaway }) => runaway === true)) return [];
  const expected = 'a runaway in the trace for the detectors to notice';
  const fix = 'write traffic.primed: true, or another path';
  return [{ path: ['timeline', noticed, 'flip', 'via'], found: "'detector'", expected, fix }];
}

/** A stop that comes when all work is done meets nothing. */
function endFigures(scenario: Scenario, { trace }: GivenTraffic): readonly Complaint[] {
  const lastMs = trace.runs.findLast(isOrdinary)?.dueMs ?? 0;
  const stopMs = firstStopMs(scenario);
  if (lastMs >= stopMs) return [];
  const found = `a trace whose last run is due at ${formatDuration(Math.round(lastMs))}`;
  const expected = `runs that are due after the first stop, which comes at ${formatDuration(stopMs)} at the earliest`;
  return [{ path: OF_TRACE, found, expected, fix: 'move the stop forward, shorten steadyState.for, or give more' }];
}

function steadyFigures({ steadyState }: Scenario, { trace }: GivenTraffic): readonly Complaint[] {
  const { min } = steadyState.effectsPerSecond;
  const most = steadyPerSecond(trace.runs, steadyState.forMs);
  if (min <= most) return [];
  const expected = `at most what the trace sends in the steady state, ${formatRate(Math.floor(most))}`;
  return [{ path: ['steadyState', 'effectsPerSecond', 'min'], found: String(min), expected, fix: 'lower it' }];
}

/** Effects a second that a trace plans for the steady state, at most. */
export function steadyPerSecond(runs: GivenTraffic['trace']['runs'], forMs: number): number {
  return (effectsWithin(runs, forMs) * 1_000) / forMs;
}

function anchorFigures(scenario: Scenario, { trace }: GivenTraffic): readonly Complaint[] {
  const { timeline } = resolveSelectors(scenario, trace.runs.filter(isOrdinary));
  return timeline.flatMap(({ when }, index): readonly Complaint[] => {
    if (when.kind !== 'effect') return [];
    const planned = trace.runs.reduce(
      (sum, run) => sum + run.plan.filter(({ capability }) => switchMatches(when, subjectOf(run, capability))).length,
      0,
    );
    if (when.count <= planned) return [];
    const expected = `at most ${planned}, which is all that the trace plans in scope of ${when.scope}:${when.target}`;
    return [{ path: ['timeline', index, 'after'], found: `effect ${when.count}`, expected, fix: 'lower it' }];
  });
}
