import { EffectFailedError, HaltedError, KilldrillError } from '../src/index.ts';
import type { PlanStep } from './plan.ts';
import { NotNowError } from './world-client.ts';

/** How an agent's work under one claim ended; `settle.ts` writes it into the queue. */
export type ClaimEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: string }
  /** A call has begun and nobody said what became of it, so that the run can neither go on nor be repeated. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** An operator's stop; the store decides what becomes of the task. */
  | { readonly kind: 'halted'; readonly engagement: string | null }
  /** Another attempt, later, as a row: this process does not wait for it. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly why: string }
  /** Somebody else's turn, without a spent attempt. */
  | { readonly kind: 'give-back' }
  /** The claim is another's by now: whatever this one would write is not its own to say. */
  | { readonly kind: 'lost' };

/** Claims of a task that may end in a retry; after so many attempts its run has failed. */
const MAX_ATTEMPTS = 5;

interface Attempted {
  /** Whether the call had begun: bytes may have left. */
  readonly begun: boolean;
  readonly step: Pick<PlanStep, 'idempotent' | 'delayMs'>;
  /** Attempts that earlier claims have spent. */
  readonly attempts: number;
}

/** What an effect that did not come through means for the claim; null when the run goes on without it. */
export function endOf(thrown: unknown, { begun, step, attempts }: Attempted): ClaimEnd | null {
  if (thrown instanceof HaltedError) {
    if (thrown.kind === 'operator') return { kind: 'halted', engagement: thrown.engagement };
    // Unverified is nobody's verdict on the run. What was sent is passed over, or sent again under the next claim.
    return begun && !step.idempotent ? null : { kind: 'give-back' };
  }
  if (thrown instanceof KilldrillError && thrown.code === 'CLAIM_LOST') return { kind: 'lost' };
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  const again: ClaimEnd =
    attempts + 1 < MAX_ATTEMPTS
      ? { kind: 'retry', delayMs: step.delayMs, why }
      : { kind: 'failed', why: `attempt ${attempts + 1} of ${MAX_ATTEMPTS}: ${why}` };
  if (thrown instanceof NotNowError) return again;
  if (!begun || thrown instanceof EffectFailedError) return { kind: 'failed', why };
  return step.idempotent ? again : { kind: 'unknown', why };
}
