import type { Subject } from '../../src/switch.ts';
import type { TraceRun } from '../traffic/trace.ts';
import { subjectOf } from './in-scope.ts';

/** The task under whose claim a step is taken. */
export interface StepTask {
  /** Its id in the store. */
  readonly id: string;
  readonly subject: Subject;
}

/** A webhook and a timer are tasks of their own, an attached child runs within its parent's, any other run is one. */
export function taskOfStep(runs: ReadonlyMap<string, TraceRun>, run: TraceRun, step: number | null): StepTask {
  const planned = step === null ? undefined : run.plan[step];
  if (planned?.kind === 'webhook' || planned?.kind === 'timer') {
    return { id: `${run.run}/${step}`, subject: subjectOf(run, planned.capability) };
  }
  const parent = attachedTo(runs, run);
  return parent === null ? { id: run.run, subject: subjectOf(run, null) } : taskOfStep(runs, parent, null);
}

/** The run that waits for this one in its own process; null for none. */
export function attachedTo(runs: ReadonlyMap<string, TraceRun>, { parent }: TraceRun): TraceRun | null {
  if (parent === undefined) return null;
  const waiting = runs.get(parent.run);
  return waiting?.plan[parent.step]?.attached === true ? waiting : null;
}

/** A run with every run that works under the same claim: itself and its attached descendants. */
export function withAttached(runs: ReadonlyMap<string, TraceRun>, run: TraceRun): readonly TraceRun[] {
  const attached = run.plan.flatMap(({ child, attached: waits }) => {
    const found = waits === true && child !== undefined ? runs.get(child) : undefined;
    return found === undefined ? [] : withAttached(runs, found);
  });
  return [run, ...attached];
}
