import { childTask } from '../src/index.ts';
import type { AgentTools } from './agent-tools.ts';
import type { ClaimEnd } from './claim-end.ts';
import { sendOnce } from './effect.ts';
import { readPlan } from './plan.ts';
import type { PlanStep } from './plan.ts';
import { queueTask } from './queued-step.ts';
import type { Turn } from './turn.ts';
import type { SpawnedRun } from './world-client.ts';

/** Attached children within each other at most. */
const MAX_DEPTH = 8;

interface Spawning {
  readonly key: string;
  readonly step: PlanStep;
  /** Works through an attached child's plan. */
  readonly takeSteps: (turn: Turn, plan: readonly PlanStep[], tools: AgentTools) => Promise<ClaimEnd | null>;
}

/**
 * Starts a child run: the world is asked for it, through the gate. An attached child is worked through here, under its
 * parent's claim; a detached one becomes a task of its own.
 *
 * It is asked for on every claim of the parent, also when it landed before: a run is started once per idempotency key and
 * the same child is answered again, which is the only way for a new claimant to learn what there is to be done.
 */
export async function spawnChild(
  turn: Turn,
  { key, step, takeSteps }: Spawning,
  tools: AgentTools,
): Promise<ClaimEnd | null> {
  const asked = await sendOnce(
    turn.work,
    {
      idempotencyKey: key,
      step: { ...step, idempotent: true },
      call: ({ signal }) => {
        const obeyed = tools.signalOf(signal, step.capability);
        return tools.world.spawn({
          run: turn.run,
          idempotencyKey: key,
          ...(obeyed === undefined ? {} : { signal: obeyed }),
        });
      },
    },
    tools,
  );
  if (asked.kind === 'ended') return asked.end;
  if (asked.kind === 'passed-over') return null;
  const child = asked.value;
  if (child.attached) return workWithin(turn, child, takeSteps, tools);
  const { run, tenant, feature, agent, plan } = child;
  return queueTask(turn.work, childTask({ run, tenant, feature, agent, plan }), step, tools);
}

/** The child's intents travel under the parent's claim, so that its landed effects are known to the parent's next claimant. */
async function workWithin(
  { work, depth }: Turn,
  child: SpawnedRun,
  takeSteps: Spawning['takeSteps'],
  tools: AgentTools,
): Promise<ClaimEnd | null> {
  const { run, tenant, feature, agent } = child;
  if (depth >= MAX_DEPTH)
    return { kind: 'failed', why: `run ${run} would be more than ${MAX_DEPTH} attached children deep` };
  const plan = readPlan(run, child.plan);
  return tools.gate.enter({ run, tenant, feature, agent }, () =>
    takeSteps({ work, run, depth: depth + 1 }, plan, tools),
  );
}
