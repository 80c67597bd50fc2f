import { z } from 'zod';
import { KilldrillError } from '../errors.ts';
import type { OutcomeKind, TaskEffect } from '../store/store.ts';

/** The version of stored plans that this code reads. A bare list of steps is of this version too. */
export const PLAN_VERSION = 1;

/** One effect that a plan intends. */
export interface PlannedEffect {
  /** Its idempotency key. */
  readonly key: string;
  readonly capability: string;
  /** It may be sent again although nobody knows whether it landed. */
  readonly idempotent: boolean;
}

/** What became of one intended effect. */
export interface PlanLine extends PlannedEffect {
  readonly standing: OutcomeKind | 'not reached';
}

/** Intended beside done, an exact list: every intended effect once, in the order of the plan. */
export interface PlanDiff {
  readonly lines: readonly PlanLine[];
  /** Effects on record that the plan does not intend. */
  readonly unplanned: readonly TaskEffect[];
}

const stepSchema = z.object({
  capability: z.string().min(1),
  key: z.string().min(1).optional(),
  idempotent: z.boolean().default(false),
});
const stepsSchema = z.array(stepSchema).max(10_000);
const sealedSchema = z.object({ version: z.literal(PLAN_VERSION), steps: stepsSchema });

/**
 * Whether an effect may be sent, by what is on record for its key: `landed` is never sent again, and `unknown` only where
 * its capability is declared idempotent. One that failed, or was never dispatched, is sent anew.
 */
export function standingOf(effect: TaskEffect | undefined, idempotent: boolean): 'send' | 'landed' | 'unknown' {
  if (effect === undefined) return 'send';
  switch (effect.outcome) {
    case 'landed':
      return 'landed';
    case 'failed':
    case 'blocked':
      return 'send';
    case 'unknown':
    case null:
      return idempotent ? 'send' : 'unknown';
    default:
      throw unknownOutcome(effect.outcome);
  }
}

/**
 * Reads what a stored plan intends: a list of steps, or `{ version, steps }`. A step names its key, or gets it from
 * `keyOf` by its place.
 *
 * @throws KilldrillError `PLAN_UNREADABLE` for another version, for what is no plan, and for one that intends a key twice.
 */
export function readPlan(plan: unknown, keyOf: (index: number) => string): readonly PlannedEffect[] {
  const read = Array.isArray(plan) ? stepsSchema.safeParse(plan) : sealedSchema.safeParse(plan);
  if (!read.success) throw unreadable(plan, read.error);
  const steps = Array.isArray(read.data) ? read.data : read.data.steps;
  const intended = steps.map(({ capability, key, idempotent }, index) => ({
    key: key ?? keyOf(index),
    capability,
    idempotent,
  }));
  const keys = new Set<string>();
  for (const { key } of intended) {
    if (keys.has(key))
      throw new KilldrillError('PLAN_UNREADABLE', `a plan intends the key '${key}' twice; ${EXPECTED}`);
    keys.add(key);
  }
  return intended;
}

/** Compares what was intended with what is on record for it. An effect without an outcome is `unknown`. */
export function planDiff(intended: readonly PlannedEffect[], effects: readonly TaskEffect[]): PlanDiff {
  const byKey = new Map(effects.map((effect) => [effect.key, effect]));
  const planned = new Set(intended.map(({ key }) => key));
  return {
    lines: intended.map((effect) => {
      const found = byKey.get(effect.key);
      return { ...effect, standing: found === undefined ? 'not reached' : (found.outcome ?? 'unknown') };
    }),
    unplanned: effects.filter(({ key }) => !planned.has(key)),
  };
}

const EXPECTED = `expected a list of steps, each with a capability, or { version: ${PLAN_VERSION}, steps }; nothing of it was done`;

function unreadable(plan: unknown, error: z.ZodError): KilldrillError {
  const version: unknown = typeof plan === 'object' && plan !== null && 'version' in plan ? plan.version : undefined;
  if (version !== undefined && version !== PLAN_VERSION) {
    return new KilldrillError(
      'PLAN_UNREADABLE',
      `a plan is of version ${JSON.stringify(version)}, which this killdrill does not know; ${EXPECTED}`,
    );
  }
  const [issue] = error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  const what = issue?.message ?? 'no plan';
  return new KilldrillError('PLAN_UNREADABLE', `a plan cannot be read${where} (${what}); ${EXPECTED}`, {
    cause: error,
  });
}

function unknownOutcome(outcome: never): KilldrillError {
  return new KilldrillError(
    'UNKNOWN_OUTCOME',
    `an effect's outcome is '${String(outcome)}', which is none that is known`,
  );
}
