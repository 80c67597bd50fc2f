import { EffectFailedError } from '../call.ts';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import { shown } from '../name.ts';
import type { Asker, Compensation, LedgerEntry, OperatorStore, OutcomeKind } from '../store/store.ts';

/** What the call of a compensation is given. */
export interface CompensationSending {
  /** Fires when the deadline has passed. */
  readonly signal: AbortSignal;
  /** The compensation's id: the same for ever, so that a downstream can tell a second arrival from a second compensation. */
  readonly idempotencyKey: string;
}

/** Sends the compensation once. Throw `EffectFailedError` when the downstream itself said that it did not do it. */
export type CompensationCall = (sending: CompensationSending) => Promise<unknown>;

export interface CompensateOptions {
  readonly capability: string;
  /** How long the call may take, milliseconds. */
  readonly deadlineMs: number;
  /** The downstream does one idempotency key once: what was issued before and is not known to have ended is sent again. Default false. */
  readonly idempotent?: boolean;
  readonly clock?: Clock;
}

export interface Compensated {
  /** As it is on record now. */
  readonly compensation: Compensation;
  /** False: it was issued before. */
  readonly isNew: boolean;
  /** Whether the call was made now. */
  readonly sent: boolean;
}

/** Longest deadline, milliseconds: a day. Beyond 24.8 days a timer fires at once, and what lands would be on record as unknown. */
const MAX_DEADLINE_MS = 24 * 3_600_000;

/**
 * Compensates one ledger entry, at most once: the operator's one pass through a halt, which no agent holds.
 *
 * It is on record before it is sent. Asked a second time it answers what is recorded and sends nothing.
 *
 * @throws KilldrillError `LEDGER_ENTRY_UNKNOWN`; `COMPENSATION_INVALID` for no usable deadline, or to send again
 * as another capability than the one on record; `COMPENSATION_UNRECORDED` when it was sent and the store did not take the
 * outcome (the message says which it was).
 */
export async function compensate(
  store: OperatorStore,
  entry: Pick<LedgerEntry, 'incarnation' | 'seq'>,
  options: CompensateOptions,
  asker: Asker,
  call: CompensationCall,
): Promise<Compensated> {
  const { deadlineMs } = options;
  if (!(typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs <= MAX_DEADLINE_MS)) {
    throw new KilldrillError(
      'COMPENSATION_INVALID',
      `the deadline of a compensation is '${shown(deadlineMs)}'; expected milliseconds above 0 and at most ${MAX_DEADLINE_MS}`,
    );
  }
  const { compensation, isNew } = await store.admitCompensation(entry, options.capability, asker);
  const isOpen = compensation.outcome === null || compensation.outcome === 'unknown';
  if (!isNew && !(options.idempotent === true && isOpen)) return { compensation, isNew, sent: false };
  if (!isNew && compensation.capability !== options.capability) {
    throw new KilldrillError(
      'COMPENSATION_INVALID',
      `compensation ${compensation.id} was issued as ${compensation.capability}, not ${options.capability}; nothing was sent`,
    );
  }
  const { outcome, detail } = await send(compensation.id, options, call);
  await record(store, compensation.id, outcome, detail);
  return { compensation: { ...compensation, outcome }, isNew, sent: true };
}

interface Ended {
  readonly outcome: OutcomeKind;
  readonly detail: string | null;
}

/** Never rejects: whatever the call does, something became of it. */
function send(
  idempotencyKey: string,
  { deadlineMs, clock = systemClock }: CompensateOptions,
  call: CompensationCall,
): Promise<Ended> {
  const controller = new AbortController();
  return new Promise<Ended>((resolve) => {
    const cancel = clock.after(deadlineMs, () => {
      const late = new KilldrillError('DEADLINE', `the compensation did not answer within ${deadlineMs} ms`);
      resolve({ outcome: 'unknown', detail: late.message });
      controller.abort(late);
    });
    const ended = (outcome: Ended): void => {
      cancel();
      resolve(outcome);
    };
    // As a then, so that a call which throws at once is a rejection like any other.
    void Promise.resolve()
      .then(() => call({ signal: controller.signal, idempotencyKey }))
      .then(
        () => ended({ outcome: 'landed', detail: null }),
        (thrown: unknown) =>
          ended({ outcome: thrown instanceof EffectFailedError ? 'failed' : 'unknown', detail: messageOf(thrown) }),
      );
  });
}

async function record(store: OperatorStore, id: string, outcome: OutcomeKind, detail: string | null): Promise<void> {
  try {
    await store.closeCompensation(id, outcome, detail);
  } catch (cause) {
    throw new KilldrillError(
      'COMPENSATION_UNRECORDED',
      `compensation ${id} was sent and is ${outcome}, but the store did not take that (${messageOf(cause)}); close it once the store answers`,
      { cause },
    );
  }
}
