import { FencedBatches } from '../fenced-batches.ts';
import type { FenceContext, FencedLimits } from '../fenced-batches.ts';
import { haltedByOperator, haltedUnverified } from '../decider.ts';
import type { Decider } from '../decider.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import type { HaltedError } from '../halted-error.ts';
import { NAME_RULE, isName, shown } from '../name.ts';
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
   * @throws KilldrillError `TASK_INVALID` for a task that the store could not keep.
   */
  async enqueue(task: NewTask): Promise<void> {
    checkTask(task);
    const subject: Subject = { ...task, capability: null };
    await this.#batches.admit(
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

/** JSON that PostgreSQL's jsonb refuses: `JSON.stringify` escapes surrogates only where one of a pair is missing. */
const UNSTORABLE = /(?<!\\)(\\\\)*\\u(0000|d[89a-f])/;

/** Tasks travel in batches: one that the store cannot keep must not take the others with it. */
function checkTask({ id, run, agent, tenant, feature, lineage, plan }: NewTask): void {
  for (const name of [id, run, agent, tenant ?? 'none', feature ?? 'none', ...lineage]) {
    if (!isName(name)) throw invalid(`a name in it is '${shown(name)}'; expected ${NAME_RULE}`);
  }
  let json: string | undefined;
  try {
    // Undefined for what JSON does not know, against its declared type.
    json = JSON.stringify(plan) as string | undefined;
  } catch (cause) {
    throw invalid(`its plan is no JSON (${messageOf(cause)})`);
  }
  if (json === undefined) throw invalid('its plan is no JSON');
  if (UNSTORABLE.test(json)) throw invalid('its plan holds a NUL character or half a surrogate pair');
}

function invalid(why: string): KilldrillError {
  return new KilldrillError('TASK_INVALID', `a task cannot be queued: ${why}`);
}
