import { capabilityMatches } from '../../src/switch.ts';
import type { FlipEntry, Scenario } from '../scenario/scenario.ts';
import { runsOf } from './family-plan.ts';
import type { FamilyPlan } from './family-plan.ts';
import { heldMs } from './held.ts';
import type { Names } from './names.ts';
import { PrimedCast, stoppableCapability } from './primed-cast.ts';
import * as plans from './primed-plans.ts';
import type { PrimedParts } from './primed-plans.ts';
import type { Prng } from './prng.ts';
import { FIRST_PRIMED_RUN } from './resolve-selectors.ts';
import { dueInHold, firstStopMs, spreadOver } from './stop-window.ts';
import type { Stretch } from './stop-window.ts';
import type { TraceRun } from './trace.ts';

/**
 * Primed runs become due in these parts of a steady state's length before the first stop: what sets timers and children
 * first, then what holds calls; late enough to be open at the stop, early enough to be held.
 */
const BEFORE_STOP = { setting: { from: 0.7, to: 0.5 }, holding: { from: 0.5, to: 0.2 } } as const;

/** A primed run before it has a name: its plan, and when it is due. */
interface Primed {
  readonly plan: FamilyPlan;
  readonly dueMs: number;
  readonly startAfterMs?: number;
}

/** How many runs with a held call a drill has for each worker: a quarter of its agents, at least 2 and at most 4. */
export function primedPerWorker({ fleet }: Scenario): number {
  return Math.min(4, Math.max(2, Math.floor(fleet.agentsPerWorker / 4)));
}

/**
 * Runs that are there to be caught by the first stop, each in its scope. For each worker: held calls, a timer, a retry, a
 * webhook's retry and a scheduled run that fall due in the hold, and a parent whose child holds a call. One run with all of
 * these, in itself and its descendants, if the stop is of a run; of a capability, those that its steps can be part of.
 *
 * @param flip the first flip of the timeline, its target resolved
 */
export function drawPrimedRuns(scenario: Scenario, flip: FlipEntry, names: Names, prng: Prng): readonly TraceRun[] {
  const cast = new PrimedCast(scenario, flip, names, prng.split('cast'));
  const parts = {
    prng: prng.split('steps'),
    capability: stoppableCapability(scenario, flip),
    heldMs: heldMs(scenario),
  };
  const primed =
    flip.scope === 'run'
      ? [wholeRun(scenario, parts)]
      : [...holding(scenario, parts), ...setting(scenario, flip, parts)];
  return primed.flatMap(({ plan, ...due }, i) => {
    const run = flip.scope === 'run' ? flip.target : primedName(i + 1);
    const root = { run, ...cast.next(), primed: true as const, ...due };
    return runsOf(plan, { root, nextAgent: () => cast.nextChildAgent() });
  });
}

function primedName(number: number): string {
  return `${FIRST_PRIMED_RUN.slice(0, -3)}${String(number).padStart(3, '0')}`;
}

function holding(scenario: Scenario, parts: PrimedParts): readonly Primed[] {
  const count = primedPerWorker(scenario) * scenario.fleet.workers;
  const due = beforeStop(scenario, 'holding');
  return Array.from({ length: count }, (_, i) => ({ plan: plans.heldPlan(parts), dueMs: spreadOver(due, i, count) }));
}

/** Of each kind one for each worker, the kinds by turns. */
function setting(scenario: Scenario, flip: FlipEntry, parts: PrimedParts): readonly Primed[] {
  const kinds = settingKinds(flip, parts);
  const count = kinds.length * scenario.fleet.workers;
  const [due, later] = [beforeStop(scenario, 'setting'), dueInHold(scenario)];
  return Array.from({ length: count }, (_, i): Primed => {
    const dueMs = spreadOver(due, i, count);
    const delayMs = spreadOver(later, i, count) - dueMs;
    const kind = kinds[i % kinds.length];
    if (kind === undefined) return { plan: plans.scheduledPlan(parts), dueMs, startAfterMs: delayMs };
    return { plan: kind(parts, delayMs), dueMs };
  });
}

type SettingKind = (parts: PrimedParts, delayMs: number) => FamilyPlan;

/** The kinds of which the stop can catch something; undefined stands for a scheduled run. */
function settingKinds(flip: FlipEntry, { capability }: PrimedParts): readonly (SettingKind | undefined)[] {
  if (flip.scope !== 'capability')
    return [plans.timerPlan, plans.retryPlan, plans.webhookPlan, plans.parentPlan, undefined];
  // A run as a whole has no capability, so that a scheduled one is not in scope before its first call.
  const webhook = capabilityMatches(flip.target, 'webhook/notify') ? [plans.webhookPlan] : [];
  if (capability === 'agent/spawn') return [plans.parentPlan];
  return [plans.timerPlan, plans.retryPlan, ...webhook, plans.parentPlan];
}

function wholeRun(scenario: Scenario, parts: PrimedParts): Primed {
  const dueMs = spreadOver(beforeStop(scenario, 'setting'), 0, 1);
  const later = dueInHold(scenario);
  let drawn = 0;
  const delayMs = (): number => spreadOver(later, drawn++, 3) - dueMs;
  return { plan: plans.wholePlan(parts, delayMs), dueMs };
}

function beforeStop(scenario: Scenario, what: keyof typeof BEFORE_STOP): Stretch {
  const stopMs = firstStopMs(scenario);
  const { forMs } = scenario.steadyState;
  return { fromMs: stopMs - forMs * BEFORE_STOP[what].from, toMs: stopMs - forMs * BEFORE_STOP[what].to };
}
