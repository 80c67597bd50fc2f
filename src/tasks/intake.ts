import { FencedBatches } from '../fenced-batches.ts';
import type { FenceContext, FencedLimits } from '../fenced-batches.ts';
import { haltedByOperator, haltedUnverified } from '../decider.ts';
import type { Decider } from '../decider.ts';
import type { KilldrillError } from '../errors.ts';
import type { HaltedError } from '../halted-error.ts';
import { runNow } from '../run-context.ts';
import type { RunContext } from '../run-context.ts';
import type { ClaimToken, Fence, NewTask } from '../store/store.ts';
import type { Subject } from '../switch.ts';
import { checkTask } from './check-task.ts';

interface IntakeParts {
  readonly fence: Fence;
  readonly decider: Decider;
  readonly context: FenceContext;
  /** Why a claim is no longer ours; null while it is. */
  readonly lostClaim?: (claim: ClaimToken) => KilldrillError | null;
  readonly limits?: FencedLimits;
}

/** Tasks on their way into the queue, through the fence: none is admitted behind a stop that covers it. */
export class TaskIntake {
  readonly #batches: FencedBatches<NewTask, void>;
  readonly #parts: IntakeParts;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#batches = new FencedBatches<NewTask, void>(
      parts.context,
      {
        send: (head, tasks) => parts.fence.enqueue(head, tasks),
        lengthOf: (task) => JSON.stringify(task).length,
        admitted: () => undefined,
        disowned: () => false,
        // Enqueueing is idempotent by the task's id, so nothing has to be closed: the caller may offer the same id again.
        givenUp: () => undefined,
      },
      parts.limits,
    );
  }

  /**
   * Queues one task; an id that is there already is left as it is. Under `halt_noncritical` it is let in, and the store
   * parks it unless its class is critical; under any harder stop nothing new gets in, not even during a drain.
   *
   * Within a run it is that run's: a run that is latched queues nothing, and a refusal latches it.
   *
   * @throws HaltedError when its run is stopped (`operator`) or the store does not answer (`unverified`).
   * @throws KilldrillError `TASK_INVALID` for a task that the store could not keep, `CLAIM_LOST` within a run whose claim
   * is another's by now.
   */
  async enqueue(task: NewTask): Promise<void> {
    checkTask(task);
    const { tenant, feature, agent, run, lineage, capability } = task;
    const subject: Subject = { tenant, feature, agent, run, lineage, capability };
    const within = runNow();
    const lost = within === null || within.claim === null ? null : this.#parts.lostClaim?.(within.claim);
    if (lost) throw lost;
    await this.#batches.admit(
      agent,
      () => task,
      () => this.#refusal(subject, within),
    );
  }

  #refusal(subject: Subject, within: RunContext | null): HaltedError | null {
    if (within !== null && within.latch !== null) return within.latch;
    const { decider } = this.#parts;
    // It says nothing of a stamp, so that no drain lets it pass, and the hardest stop is the one that is answered.
    const stop = decider.stopFor(subject);
    if (stop !== null && stop.engagement.mode !== 'halt_noncritical') {
      const refused = haltedByOperator(subject.agent, stop);
      if (within !== null) within.latch = refused;
      return refused;
    }
    return decider.verified() ? null : haltedUnverified(subject.agent, decider.unverifiedBecause?.());
  }
}
