import { KilldrillError, nextDue } from '../src/index.ts';
import type { ClaimedTask, Clock, Runtime, TaskQueue, TaskState } from '../src/index.ts';
import type { ClaimEnd } from './claim-end.ts';
import type { ClaimWork } from './claim-work.ts';

export interface SettleTools {
  readonly tasks: TaskQueue;
  readonly outcomes: Pick<Runtime['outcomes'], 'flush'>;
  readonly clock: Clock;
  /** Fires when the worker's time to end is over: what is not written by then is left to the claim's own end. */
  readonly abandoned: AbortSignal;
}

/** How long a call that was aborted may take to really end (DESIGN §10, abort deadline). */
const CALLS_END_MS = 300;
const FLUSH_MS = 1_000;
const AGAIN_MS = 50;
const GIVE_UP_MS = 60_000;

/**
 * Writes how a claim ended, again and again while the store is away; the claim's token makes that safe.
 *
 * The outcomes of its calls are stored first: an intent without an outcome makes the task `unknown`, and a run that was
 * stopped in good order should be parked or discarded. Answers the state that the store chose, null where it is another's.
 *
 * @throws KilldrillError the store's, when it stays away; the task is reclaimed once the claim's time is over.
 */
export async function settleClaim(work: ClaimWork, end: ClaimEnd, tools: SettleTools): Promise<TaskState | null> {
  const { clock, outcomes, abandoned } = tools;
  if (end.kind === 'lost') return null;
  await work.callsEnded(clock, CALLS_END_MS);
  const write = writing(work, end, tools);
  const giveUpMs = clock.monotonicMs() + GIVE_UP_MS;
  for (;;) {
    try {
      await outcomes.flush(FLUSH_MS);
      return await write();
    } catch (error) {
      if (clock.monotonicMs() >= giveUpMs || abandoned.aborted) throw error;
      await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve));
    }
  }
}

/** What is to be written, decided once. */
function writing(
  { task, token }: ClaimWork,
  end: Exclude<ClaimEnd, { kind: 'lost' }>,
  { tasks, clock }: SettleTools,
): () => Promise<TaskState | null> {
  switch (end.kind) {
    case 'done':
    case 'failed': {
      const againAt = nextOccurrence(task, clock);
      if (againAt === null) return async () => ((await tasks.finish(token, end.kind)) ? end.kind : null);
      return async () => ((await tasks.finish(token, end.kind, againAt)) ? 'queued' : null);
    }
    case 'unknown':
      return async () => ((await tasks.finish(token, 'unknown')) ? 'unknown' : null);
    case 'halted':
      return () => tasks.halted(token, end.engagement);
    case 'retry':
      return () => tasks.retry(token, end.delayMs);
    case 'give-back':
      return async () => ((await tasks.giveBack(token)) ? 'queued' : null);
    default:
      throw new KilldrillError('CLAIM_END', `a claim cannot end by ${JSON.stringify(end satisfies never)}`);
  }
}

/** A task that repeats is queued for its next occurrence, however this one went; null for one that has none. */
function nextOccurrence({ repeat, dueAt }: ClaimedTask, clock: Clock): string | null {
  if (repeat === null) return null;
  try {
    return nextDue(repeat, dueAt, new Date(clock.wallMs()).toISOString());
  } catch {
    return null; // what cannot be read was not queued by a runtime of ours, and must not hold an agent
  }
}
