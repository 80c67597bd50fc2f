import { switchMatches } from '../../src/switch.ts';
import type { Subject, Switch } from '../../src/switch.ts';
import type { TraceRun } from '../traffic/trace.ts';
import type { WitnessedEffect } from './effects-of.ts';

/** Who a run is, by the trace's word. */
export function subjectOf(run: TraceRun, capability: string | null): Subject {
  const { tenant, feature, agent, lineage = [] } = run;
  return { tenant, feature, agent, run: run.run, lineage, capability };
}

export function covers(on: Switch, effect: WitnessedEffect): boolean {
  return switchMatches(on, subjectOf(effect.run, effect.capability));
}

/** Whether a switch covers a step of the run's plan. */
export function coversStep(on: Switch, run: TraceRun, step: number): boolean {
  const planned = run.plan[step];
  return planned !== undefined && switchMatches(on, subjectOf(run, planned.capability));
}

/** Whether any step of the run's plan is in scope. */
export function coversSomeStep(on: Switch, run: TraceRun): boolean {
  return run.plan.some((_, step) => coversStep(on, run, step));
}
