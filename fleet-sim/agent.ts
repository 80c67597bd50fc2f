import { HaltedError, KilldrillError } from '../src/index.ts';
import type { ClaimedTask, Clock, Gate, TaskEnd } from '../src/index.ts';
import type { PlanStep, WorldClient } from './world-client.ts';

/** What an agent needs from its worker. */
export interface AgentTools {
  readonly gate: Gate;
  readonly world: WorldClient;
  readonly clock: Clock;
  /** What an effect carries; the world does not look into it. */
  readonly payload: (run: string, step: number) => string;
  /** Whether calls obey their signal; a mutant's do not. */
  readonly signalOf: (signal: AbortSignal) => AbortSignal | undefined;
}

const VERIFY_WAIT_MS = 50;
const VERIFY_GIVE_UP_MS = 60_000;

/** Works through one claimed run's plan, step by step, every step through the gate; answers how the run ended. */
export async function workThrough(task: ClaimedTask, tools: AgentTools): Promise<TaskEnd> {
  const { run, agent, tenant, feature, lineage } = task;
  const claim = { task: task.id, token: task.token };
  try {
    await tools.gate.enter({ run, agent, tenant, feature, lineage, claim }, async () => {
      for (const [index, step] of planOf(task).entries()) await takeStep(run, index, step, tools);
    });
    return 'done';
  } catch (error) {
    if (error instanceof HaltedError && error.kind === 'operator') return 'discarded';
    return 'failed';
  }
}

function planOf(task: ClaimedTask): readonly PlanStep[] {
  if (Array.isArray(task.plan)) return task.plan as readonly PlanStep[];
  throw new KilldrillError(
    'PLAN_UNREADABLE',
    `the plan of run ${task.run} is ${typeof task.plan}; expected a list of steps`,
  );
}

/**
 * One effect. While the registry is unverified the agent waits and asks again, with the same idempotency key; but never
 * once the call has begun, since bytes may have left and nobody knows what became of them.
 */
async function takeStep(run: string, index: number, step: PlanStep, tools: AgentTools): Promise<void> {
  const idempotencyKey = `${run}/${index}`;
  const giveUpMs = tools.clock.monotonicMs() + VERIFY_GIVE_UP_MS;
  let begun = false;
  for (;;) {
    try {
      return await tools.gate.run({ ...step, idempotencyKey }, ({ signal }) => {
        begun = true;
        return send({ run, index, step, idempotencyKey, signal }, tools);
      });
    } catch (error) {
      if (!(error instanceof HaltedError) || error.kind === 'operator') throw error;
      if (begun) return;
      if (tools.clock.monotonicMs() >= giveUpMs) throw error;
      await new Promise<void>((resolve) => tools.clock.after(VERIFY_WAIT_MS, resolve));
    }
  }
}

function send(
  effect: { run: string; index: number; step: PlanStep; idempotencyKey: string; signal: AbortSignal },
  { world, payload, signalOf }: AgentTools,
): Promise<void> {
  const { run, index, step, idempotencyKey } = effect;
  const signal = signalOf(effect.signal);
  return world.sendEffect({
    run,
    capability: step.capability,
    idempotencyKey,
    body: payload(run, index),
    ...(signal === undefined ? {} : { signal }),
  });
}
