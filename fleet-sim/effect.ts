import { HaltedError } from '../src/index.ts';
import type { EffectCall } from '../src/index.ts';
import type { AgentTools } from './agent-tools.ts';
import { endOf } from './claim-end.ts';
import type { ClaimEnd } from './claim-end.ts';
import type { ClaimWork } from './claim-work.ts';
import type { PlanStep } from './plan.ts';

/** `passed-over`: the run goes on without it. */
export type Sent<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'passed-over' }
  | { readonly kind: 'ended'; readonly end: ClaimEnd };

const VERIFY_WAIT_MS = 50;
const VERIFY_GIVE_UP_MS = 10_000;

/**
 * Sends one effect through the gate, once: a call that has begun is not begun again under this claim, since bytes may
 * have left and nobody knows what became of them.
 *
 * What a kill -9 leaves, and what the next claim makes of it (the claim's time must be over first):
 *
 * | killed                        | intent            | the task becomes            | the step is then              |
 * |-------------------------------|-------------------|-----------------------------|-------------------------------|
 * | before the intent             | none              | queued, claimed again       | sent                          |
 * | after the intent              | without outcome   | `unknown`                   | passed over after `resume`    |
 * | after the dispatch            | without outcome   | `unknown`                   | passed over after `resume`    |
 * | after the outcome             | landed, failed, … | queued, claimed again       | skipped if landed, else sent  |
 * | after all, before the finish  | all with outcomes | queued, claimed again       | skipped: the run just ends    |
 *
 * The second and third rows look the same to whoever comes next; that is why `unknown` is never queued by itself, and
 * why only a step that is declared idempotent is sent again. An outcome that was not stored yet leaves the third row.
 */
export async function sendOnce<T>(
  work: ClaimWork,
  { idempotencyKey, step, call }: { idempotencyKey: string; step: PlanStep; call: EffectCall<T> },
  tools: AgentTools,
): Promise<Sent<T>> {
  const { capability, access, journal, deadlineMs } = step;
  const effect = { capability, access, journal, deadlineMs, idempotencyKey };
  let begun = false;
  const ask = (): Promise<T> =>
    tools.gate.run(effect, (sending) => {
      begun = true;
      return work.follow(call(sending));
    });
  try {
    return { kind: 'answered', value: await untilVerified(ask, () => !begun, tools) };
  } catch (error) {
    const end = endOf(error, { begun, step, attempts: work.task.attempts });
    return end === null ? { kind: 'passed-over' } : { kind: 'ended', end };
  }
}

/**
 * Asks again for as long as the registry is unverified, with the same idempotency key.
 *
 * @throws HaltedError of kind `unverified` when that takes too long, this worker is to end, or `mayAskAgain` says no.
 */
export async function untilVerified<T>(
  ask: () => Promise<T>,
  mayAskAgain: () => boolean,
  { clock, stopping }: Pick<AgentTools, 'clock' | 'stopping'>,
): Promise<T> {
  const untilMs = clock.monotonicMs() + VERIFY_GIVE_UP_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof HaltedError) || error.kind === 'operator' || !mayAskAgain()) throw error;
      if (stopping.aborted || clock.monotonicMs() >= untilMs) throw error;
      await new Promise<void>((resolve) => clock.after(VERIFY_WAIT_MS, resolve));
    }
  }
}
