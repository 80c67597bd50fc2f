import { after, timerTask, webhookTask } from '../src/index.ts';
import type { NewTask } from '../src/index.ts';
import type { AgentTools } from './agent-tools.ts';
import { endOf } from './claim-end.ts';
import type { ClaimEnd } from './claim-end.ts';
import type { ClaimWork } from './claim-work.ts';
import { untilVerified } from './effect.ts';
import type { PlanStep } from './plan.ts';

/**
 * Puts a webhook (outbox) or a timer into the queue, as a task of its own, and lets the run go on.
 *
 * Its id is the step's key: a run that is worked through again offers the same task again, and the store keeps the first.
 */
export function queueStep(
  work: ClaimWork,
  id: string,
  step: PlanStep & { readonly kind: 'webhook' | 'timer' },
  tools: AgentTools,
): Promise<ClaimEnd | null> {
  const { capability, delayMs } = step;
  const later = { id, capability, plan: [step] };
  const task = step.kind === 'timer' ? timerTask({ ...later, due: after(delayMs) }) : webhookTask(later);
  return queueTask(work, task, step, tools);
}

/** Queues one task on behalf of a run; null when it is in the queue. */
export async function queueTask(
  work: ClaimWork,
  task: NewTask,
  step: PlanStep,
  tools: AgentTools,
): Promise<ClaimEnd | null> {
  try {
    await untilVerified(
      () => tools.intake.enqueue(task),
      () => true,
      tools,
    );
    return null;
  } catch (error) {
    return endOf(error, { begun: false, step, attempts: work.task.attempts });
  }
}
