import { standingOf } from '../src/index.ts';
import type { ClaimedTask } from '../src/index.ts';
import type { AgentTools } from './agent-tools.ts';
import type { ClaimEnd } from './claim-end.ts';
import type { ClaimWork } from './claim-work.ts';
import { sendOnce } from './effect.ts';
import { queueStep } from './queued-step.ts';
import { readPlan } from './plan.ts';
import type { PlanStep } from './plan.ts';
import { spawnChild } from './spawn.ts';
import type { Turn } from './turn.ts';

/**
 * Works through one claimed task, step by step, every step through the gate; answers how the claim ended, and never
 * throws. A task that was claimed before goes on: what landed is skipped, and what nobody knows of is passed over.
 */
export async function workThrough(work: ClaimWork, tools: AgentTools): Promise<ClaimEnd> {
  const { task } = work;
  if (task.skipped) return { kind: 'done' };
  try {
    const plan = readPlan(task.run, task.plan);
    const turn = { work, run: task.run, depth: 0 };
    const end = await tools.gate.enterTask(task, () =>
      isOneStep(task) ? sendQueued(turn, plan, tools) : takeSteps(turn, plan, tools),
    );
    return end ?? { kind: 'done' };
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
  }
}

/** A webhook or a timer is one step of its run, with that step's key. */
function isOneStep({ kind }: ClaimedTask): boolean {
  return kind === 'webhook' || kind === 'timer';
}

async function sendQueued(turn: Turn, plan: readonly PlanStep[], tools: AgentTools): Promise<ClaimEnd | null> {
  for (const step of plan) {
    if (tools.stopping.aborted) return { kind: 'give-back' };
    const end = await sendStep(turn, { key: turn.work.ownKey, index: 0, step }, tools);
    if (end !== null) return end;
  }
  return null;
}

/** Null when the run's plan is through. */
async function takeSteps(turn: Turn, plan: readonly PlanStep[], tools: AgentTools): Promise<ClaimEnd | null> {
  for (const [index, step] of plan.entries()) {
    // What is under way is finished; what has not begun is somebody else's turn.
    if (tools.stopping.aborted) return { kind: 'give-back' };
    const end = await takeStep(turn, index, step, tools);
    if (end !== null) return end;
  }
  return null;
}

async function takeStep(turn: Turn, index: number, step: PlanStep, tools: AgentTools): Promise<ClaimEnd | null> {
  const key = turn.work.keyOf(turn.run, index);
  switch (step.kind) {
    case 'call':
    case 'stream':
      return sendStep(turn, { key, index, step }, tools);
    case 'webhook':
    case 'timer':
      return queueStep(turn.work, key, { ...step, kind: step.kind }, tools);
    case 'spawn':
      return spawnChild(turn, { key, step, takeSteps }, tools);
    default:
      return unknownKind(step.kind);
  }
}

/** One effect in the run's own turn. */
async function sendStep(
  { work, run }: Turn,
  { key, index, step }: { key: string; index: number; step: PlanStep },
  tools: AgentTools,
): Promise<ClaimEnd | null> {
  if (standingOf(work.effect(key), step.idempotent) !== 'send') return null;
  const { world, payload, signalOf } = tools;
  const sent = await sendOnce(
    work,
    {
      idempotencyKey: key,
      step,
      call: (sending) => {
        const signal = signalOf(sending.signal, step.capability);
        const body = payload(run, index);
        return world.sendEffect({
          run,
          capability: step.capability,
          idempotencyKey: key,
          body,
          ...(signal === undefined ? {} : { signal }),
        });
      },
    },
    tools,
  );
  return sent.kind === 'ended' ? sent.end : null;
}

function unknownKind(kind: never): ClaimEnd {
  return { kind: 'failed', why: `step kind '${String(kind)}' is none that this agent knows` };
}
