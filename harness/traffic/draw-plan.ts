import { CALL_CAPABILITIES, CAPABILITIES } from './capabilities.ts';
import type { CallCapability, Capability } from './capabilities.ts';
import { weighted, wholeBetween } from './distributions.ts';
import type { Draw } from './distributions.ts';
import type { FamilyPlan, FamilyStep } from './family-plan.ts';
import { MIX } from './mix.ts';
import type { PlanKind } from './mix.ts';
import type { Prng } from './prng.ts';
import { drawTimeMs } from './times.ts';
import { SPAWN_CAPABILITY } from './trace.ts';
import type { PlanStep } from './trace.ts';

const drawPlanKind: Draw = weighted(MIX.plans.map(({ share }) => share));
const drawCapability: ReadonlyMap<PlanKind, Draw> = new Map(
  [...MIX.plans, MIX.child].map((kind) => [kind, weighted(CALL_CAPABILITIES.map((name) => kind.capabilities[name]))]),
);

/** A source for each use, so that drawing more of one thing never shifts another. */
interface Sources {
  readonly steps: Prng;
  readonly kinds: Prng;
  readonly refusals: Prng;
  readonly children: Prng;
}

/** How many more refusals the task may meet whose turn this is. */
interface Patience {
  left: number;
}

/** One arriving run's plan, with those of its descendants. */
export function drawFamily(prng: Prng): FamilyPlan {
  const sources = {
    steps: prng.split('steps'),
    kinds: prng.split('kinds'),
    refusals: prng.split('refusals'),
    children: prng.split('children'),
  };
  const kind = MIX.plans[drawPlanKind(sources.steps)] ?? MIX.child;
  return drawPlan(sources, kind, 0, { left: MIX.refusals.atMostInTurn });
}

function drawPlan(sources: Sources, kind: PlanKind, depth: number, patience: Patience): FamilyPlan {
  const length = wholeBetween(sources.steps, kind.steps.min, kind.steps.max);
  const spawns = MIX.children.ofSteps[depth] ?? 0;
  const steps = Array.from({ length }, (_, index): FamilyStep => {
    const capability = CALL_CAPABILITIES[drawCapability.get(kind)?.(sources.steps) ?? 0] ?? 'model/chat';
    const call = drawStep(sources.steps, capability);
    if (index > 0 && sources.children.uniform() < spawns) return drawSpawn(sources, depth, patience);
    return refused(sources.refusals, withKind(sources.kinds, call), patience);
  });
  return { steps };
}

function drawSpawn(sources: Sources, depth: number, patience: Patience): FamilyStep {
  const attached = sources.children.uniform() < MIX.children.attached;
  const step = spawnStep(sources.children, attached);
  // An attached child runs in its parent's turn: its refusals are attempts of the parent's task.
  const own = attached ? patience : { left: MIX.refusals.atMostInTurn };
  return { ...step, of: drawPlan(sources, MIX.child, depth + 1, own) };
}

/** A step that starts a child, which its plan has yet to name. */
export function spawnStep(prng: Prng, attached: boolean): PlanStep {
  const step: PlanStep = { kind: 'spawn', ...drawStep(prng, SPAWN_CAPABILITY) };
  return attached ? { ...step, attached } : step;
}

/** One ordinary call of a capability. */
export function drawStep(prng: Prng, capability: Capability): PlanStep {
  const serviceMs = drawTimeMs(prng, MIX.service[capability]);
  const { timesService, minMs } = MIX.deadline;
  return {
    capability,
    access: CAPABILITIES[capability],
    journal: !(capability === 'read/crm' && prng.uniform() < MIX.journalFreeReads),
    serviceMs,
    deadlineMs: Math.max(minMs, timesService * serviceMs),
  };
}

/** The call as the mix sends it: in pieces, through the outbox, later; and whether it may be repeated. */
function withKind(prng: Prng, step: PlanStep): PlanStep {
  switch (step.capability as CallCapability) {
    case 'model/chat':
      return prng.uniform() < MIX.streams ? { kind: 'stream', ...step } : step;
    case 'tool/search':
    case 'read/crm':
      return prng.uniform() < MIX.idempotentReads ? { ...step, idempotent: true } : step;
    case 'write/mail':
    case 'write/crm':
      if (prng.uniform() >= MIX.timers.ofWrites) return step;
      return { kind: 'timer', ...step, delayMs: drawTimeMs(prng, MIX.timers.lead) };
    case 'webhook/notify':
      return { kind: 'webhook', ...step };
  }
}

/** The step with the refusals that it meets. A timer meets none: its delay is its lead. */
function refused(prng: Prng, step: PlanStep, patience: Patience): PlanStep {
  const { ofSteps, twice, backoff } = MIX.refusals;
  const [isRefused, isTwice] = [prng.uniform() < ofSteps, prng.uniform() < twice];
  if (!isRefused || step.kind === 'timer') return step;
  const ownTask = step.kind === 'webhook';
  const refusals = Math.min(isTwice ? 2 : 1, ownTask ? 2 : patience.left);
  if (refusals === 0) return step;
  if (!ownTask) patience.left -= refusals;
  return { ...step, refusals, delayMs: drawTimeMs(prng, backoff) };
}
