import { z } from 'zod';
import { KilldrillError } from '../src/index.ts';

/** Pause before the next attempt at a step whose plan names none, milliseconds. */
const DEFAULT_DELAY_MS = 500;
/** Steps of one plan at most: a plan beyond it is a mistake, and would hold an agent for ever. */
const MAX_STEPS = 10_000;

/**
 * `call` and `stream` are made in the run's own turn, `webhook` and `timer` become tasks of their own, `spawn` asks the
 * world for a child run.
 */
const stepSchema = z.object({
  kind: z.enum(['call', 'stream', 'webhook', 'timer', 'spawn']).default('call'),
  capability: z.string().min(1),
  access: z.enum(['read', 'write']),
  journal: z.boolean().default(true),
  deadlineMs: z.number().positive(),
  /** Of a timer: when it fires. Otherwise: the pause before the next attempt once it was refused. */
  delayMs: z.number().nonnegative().default(DEFAULT_DELAY_MS),
  /** It may be sent again although nobody knows whether it landed. */
  idempotent: z.boolean().default(false),
});
const stepsSchema = z.array(stepSchema).max(MAX_STEPS);
const sealedSchema = z.object({ version: z.literal(1), steps: stepsSchema });

/** One planned effect, as `/work` hands it out. */
export type PlanStep = Readonly<z.infer<typeof stepSchema>>;

/**
 * Reads a stored plan, whole, before anything of it is done: a list of steps, or `{ version: 1, steps }`.
 *
 * @throws KilldrillError `PLAN_UNREADABLE` for anything else, such as a plan of a later version.
 */
export function readPlan(run: string, plan: unknown): readonly PlanStep[] {
  const read = Array.isArray(plan) ? stepsSchema.safeParse(plan) : sealedSchema.safeParse(plan);
  if (read.success) return Array.isArray(read.data) ? read.data : read.data.steps;
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new KilldrillError(
    'PLAN_UNREADABLE',
    `the plan of run ${run} cannot be read${where} (${issue?.message ?? 'no plan'}); expected a list of steps of the kinds ` +
      `call, stream, webhook, timer and spawn, or { version: 1, steps }; nothing of it was done`,
  );
}
