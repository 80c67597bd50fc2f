import { FencedBatches } from '../fenced-batches.ts';
import type { FenceContext, FencedLimits } from '../fenced-batches.ts';
import { haltedByOperator, haltedUnverified } from '../decider.ts';
import type { Decider } from '../decider.ts';
import type { HaltedError } from '../halted-error.ts';
import type { Fence, NewTask } from '../store/store.ts';
import type { Subject } from '../switch.ts';

/** Tasks on their way into the queue, through the fence: none is admitted behind a stop that covers it. */
export class TaskIntake {
  readonly #batches: FencedBatches<NewTask, void>;
  readonly #decider: Decider;

  constructor(fence: Fence, decider: Decider, context: FenceContext, limits?: FencedLimits) {
    this.#decider = decider;
    this.#batches = new FencedBatches<NewTask, void>(
      context,
      {
        send: (head, tasks) => fence.enqueue(head, tasks),
        admitted: () => undefined,
        disowned: () => false,
        // Enqueueing is idempotent by the task's id, so nothing has to be closed: the caller may offer the same id again.
        givenUp: () => undefined,
      },
      limits,
    );
  }

  /**
   * Queues one task; an id that is queued already is left as it is.
   *
   * @throws HaltedError when its run is stopped (`operator`) or the store does not answer (`unverified`).
   */
  enqueue(task: NewTask): Promise<void> {
    const subject: Subject = { ...task, capability: null };
    return this.#batches.admit(
      task.agent,
      () => task,
      () => this.#refusal(subject),
    );
  }

  #refusal(subject: Subject): HaltedError | null {
    const stop = this.#decider.stopFor(subject);
    if (stop !== null) return haltedByOperator(subject.agent, stop);
    return this.#decider.verified() ? null : haltedUnverified(subject.agent);
  }
}
