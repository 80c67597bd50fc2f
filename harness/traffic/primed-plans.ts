import { CAPABILITIES } from './capabilities.ts';
import type { Capability } from './capabilities.ts';
import { drawStep, spawnStep } from './draw-plan.ts';
import type { FamilyPlan, FamilyStep } from './family-plan.ts';
import type { Prng } from './prng.ts';
import type { PlanStep } from './trace.ts';

/** What plans that are there for a stop are made of. */
export interface PrimedParts {
  readonly prng: Prng;
  /** Of the calls that the stop is to catch. */
  readonly capability: Capability;
  readonly heldMs: number;
}

/** A held call, then ordinary work and a child that must not start any more. */
export function heldPlan(parts: PrimedParts): FamilyPlan {
  return { steps: [heldStep(parts), search(parts), spawn(parts, errand(parts)), mail(parts)] };
}

/** A timer that is set early on and fires `delayMs` later. */
export function timerPlan(parts: PrimedParts, delayMs: number): FamilyPlan {
  return { steps: [search(parts), timer(parts, delayMs), mail(parts)] };
}

/** A step that is refused once and tried again `delayMs` later. */
export function retryPlan(parts: PrimedParts, delayMs: number): FamilyPlan {
  return { steps: [search(parts), refusedOnce(drawStep(parts.prng, parts.capability), delayMs), mail(parts)] };
}

/** A webhook that is refused once and sent again `delayMs` later. */
export function webhookPlan(parts: PrimedParts, delayMs: number): FamilyPlan {
  return { steps: [search(parts), webhook(parts, delayMs), mail(parts)] };
}

/** A detached child that holds a call. */
export function parentPlan(parts: PrimedParts): FamilyPlan {
  const child = { steps: [heldStep(parts), search(parts)] };
  return { steps: [search(parts), spawn(parts, child), mail(parts)] };
}

/** Work that is to start later: its first call is in scope. */
export function scheduledPlan(parts: PrimedParts): FamilyPlan {
  return { steps: [drawStep(parts.prng, parts.capability), search(parts)] };
}

/** All of that in one run and its descendants, for a stop of this run. `delayMs` is drawn for each that falls due later. */
export function wholePlan(parts: PrimedParts, delayMs: () => number): FamilyPlan {
  const held = { steps: [heldStep(parts), search(parts)] };
  return {
    steps: [
      timer(parts, delayMs()),
      webhook(parts, delayMs()),
      spawn(parts, held),
      spawn(parts, retryPlan(parts, delayMs())),
      ...heldPlan(parts).steps,
    ],
  };
}

function heldStep(parts: PrimedParts): FamilyStep {
  const { capability, heldMs } = parts;
  const lasts = { serviceMs: heldMs, deadlineMs: heldMs + 5_000 };
  if (capability === 'agent/spawn') return { ...spawn(parts, errand(parts)), ...lasts };
  return { capability, access: CAPABILITIES[capability], journal: true, ...lasts };
}

function spawn({ prng }: PrimedParts, of: FamilyPlan): FamilyStep {
  return { ...spawnStep(prng, false), of };
}

function errand(parts: PrimedParts): FamilyPlan {
  return { steps: [search(parts), mail(parts)] };
}

function search({ prng }: PrimedParts): PlanStep {
  return drawStep(prng, 'tool/search');
}

function mail({ prng }: PrimedParts): PlanStep {
  return drawStep(prng, 'write/mail');
}

function timer({ prng, capability }: PrimedParts, delayMs: number): PlanStep {
  return { kind: 'timer', ...drawStep(prng, capability), journal: true, delayMs };
}

function webhook({ prng }: PrimedParts, delayMs: number): PlanStep {
  return { kind: 'webhook', ...refusedOnce(drawStep(prng, 'webhook/notify'), delayMs) };
}

function refusedOnce(step: PlanStep, delayMs: number): PlanStep {
  return { ...step, journal: true, refusals: 1, delayMs };
}
