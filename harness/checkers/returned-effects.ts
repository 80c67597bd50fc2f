import type { EventOf } from '../history/event.ts';
import type { TraceRun } from '../traffic/trace.ts';
import type { Finding } from './checker.ts';
import { hasEnd } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';
import { withAttached } from './task-of-step.ts';
import { endState, taskEvidence, taskName } from './tasks-of.ts';
import type { WitnessedTask } from './tasks-of.ts';
import { effectEvidence, effectName } from './witness-of.ts';

/** One planned effect of a task with both accounts of it. */
interface PlannedEffect {
  readonly run: TraceRun;
  readonly step: number;
  readonly isIdempotent: boolean;
  readonly journal: boolean;
  readonly arrivals: readonly WitnessedEffect[];
  readonly intents: readonly EventOf<'store.intent'>[];
}

/** An effect of a returned task that went out once too often; null when none did. */
export function sentTwice(index: DrillIndex, task: WitnessedTask): Finding | null {
  for (const planned of plannedEffects(index, task)) {
    const { arrivals, run, step, journal } = planned;
    const landed = arrivals.filter((effect) => hasEnd(effect, 'landed'));
    const again = landed[1];
    const name = `step ${step} of run ${run.run}`;
    if (again !== undefined)
      return fail(`${effectName(again)} landed, and ${name} had landed before`, {
        ...taskEvidence(task),
        ...effectEvidence(again),
        landings: landed.length,
      });
    // Nobody keeps count of reads that need no intent.
    const extra = journal ? arrivals[allowedArrivals(planned)] : undefined;
    if (extra === undefined) continue;
    const why = landed.length > 0 ? 'had landed' : 'nobody knows whether it landed, and it is not declared idempotent';
    return fail(`${effectName(extra)} was sent again: ${name} ${landed.length > 0 ? why : `went out before, ${why}`}`, {
      ...taskEvidence(task),
      ...effectEvidence(extra),
      arrivals: arrivals.length,
      outcomes: planned.intents.map(({ outcome }) => outcome),
    });
  }
  return null;
}

/** An effect of a returned run that its plan has no step left for, whatever key it bears; null when there is none. */
export function beyondPlan(index: DrillIndex, task: WitnessedTask): Finding | null {
  const { run, step } = task;
  if (run === null || step !== null) return null;
  for (const one of withAttached(index.runs, run)) {
    const [extra] = index.byStep.get(`${one.run}/null`) ?? [];
    if (extra === undefined) continue;
    const reason = `${effectName(extra)} was sent under the key '${extra.key}', and ${taskName(task)}, which came back, has no such step left`;
    return fail(reason, { ...taskEvidence(task), ...effectEvidence(extra) });
  }
  return null;
}

/** One, one more for each that the downstream refused, and for each that is unknown where that may be sent again. */
function allowedArrivals({ arrivals, intents, isIdempotent }: PlannedEffect): number {
  const refused = arrivals.filter((effect) => hasEnd(effect, 'failed')).length;
  const open = intents.filter(({ outcome }) => outcome === 'unknown' || outcome === null).length;
  return 1 + refused + (isIdempotent ? open : 0);
}

/** A planned effect of a returned task that is done, which never landed, though nobody says that it may have; null when there is none. */
export function skipped(index: DrillIndex, task: WitnessedTask): Finding | null {
  if (endState(task) !== 'done') return null;
  for (const { run, step, arrivals, intents } of plannedEffects(index, task)) {
    const landed = arrivals.some((effect) => hasEnd(effect, 'landed') || hasEnd(effect, 'replayed'));
    const isKnown = intents.every(({ outcome }) => outcome !== 'unknown' && outcome !== null);
    // An open read without an intent may have been cut, and is then read again or given up: no account is kept of it.
    if (landed || !isKnown || (run.plan[step]?.journal === false && arrivals.length > 0)) continue;
    const reason = `${taskName(task)} is done, and step ${step} (${run.plan[step]?.capability ?? ''} of run ${run.run}) never landed`;
    return fail(reason, { ...taskEvidence(task), step, capability: run.plan[step]?.capability ?? null });
  }
  return null;
}

/** What is sent under the task's own claim. A spawn is asked for again by each claimant, and the world answers the same child. */
export function plannedEffects(index: DrillIndex, { run, step }: WitnessedTask): readonly PlannedEffect[] {
  if (run === null) return [];
  if (step !== null) return [plannedEffect(index, run, step)];
  return withAttached(index.runs, run).flatMap((one) =>
    one.plan.flatMap(({ kind = 'call' }, nth) =>
      kind === 'call' || kind === 'stream' ? [plannedEffect(index, one, nth)] : [],
    ),
  );
}

function plannedEffect(index: DrillIndex, run: TraceRun, step: number): PlannedEffect {
  const key = `${run.run}/${step}`;
  const planned = run.plan[step];
  return {
    run,
    step,
    isIdempotent: planned?.idempotent === true,
    journal: planned?.journal ?? true,
    arrivals: index.byStep.get(key) ?? [],
    intents: index.intentsByKey.get(`${run.run} ${key}`) ?? [],
  };
}
