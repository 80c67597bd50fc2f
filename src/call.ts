import { deadlinePassed } from './call-group.ts';
import type { CallGroup } from './call-group.ts';
import { KilldrillError, messageOf } from './errors.ts';
import type { OutcomeKind } from './store/store.ts';

/** What a call is given. */
export interface Sending {
  /**
   * Fires when the call must end: its run was stopped, the registry is unverified, or its deadline has passed. Calls that
   * share their fate may share it: it can fire after this one has ended, for another.
   */
  readonly signal: AbortSignal;
  readonly idempotencyKey: string;
  /** Monotonic instant (`Clock.monotonicMs`) after which nothing may leave any more. */
  readonly notAfterMs: number;
  /** Throws what the gate would throw now; for calls that wait (a pool, a queue) before bytes leave. */
  readonly recheck: () => void;
}

export type EffectCall<T> = (sending: Sending) => Promise<T>;

/** Throw this (or a subclass) from a call when the downstream itself said that it did not do it. */
export class EffectFailedError extends KilldrillError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('EFFECT_FAILED', message, options);
    this.name = 'EffectFailedError';
  }
}

/** What the journal is told of a call that has outlived its deadline: it may go on. The store knows these words, too (0011). */
export const UNCONFIRMED = 'unconfirmed: its deadline has passed';

/** What is said of a call that is in flight. */
export interface Tracked {
  /** It has really ended, in time or late. May be said more than once. */
  ended(): void;
  /** Its deadline has passed, and it goes on. */
  unconfirmed(): void;
}

interface Started<T> {
  readonly call: EffectCall<T>;
  readonly effect: { readonly capability: string; readonly idempotencyKey: string; readonly deadlineMs: number };
  /** The calls that it begins with, and shares its signal and deadline with. */
  readonly group: CallGroup;
  readonly recheck: () => void;
  /** Registers the call as in flight; `answer` answers its caller should it be ended from outside. */
  readonly track: (answer: (reason: Error) => void) => Tracked;
  readonly ended: (kind: Exclude<OutcomeKind, 'blocked'>, detail: string | null) => void;
}

/**
 * Invokes a call in this very tick and sees it to its end.
 *
 * The caller is answered as soon as the call is aborted; the call itself stays in flight until it has really ended, or its
 * deadline has passed: then it is named as unconfirmed until it ends. Bytes may have left, so an end by abort or by an unclear error is `unknown`, never "not done".
 */
export function startCall<T>({ call, effect, group, recheck, track, ended }: Started<T>): Promise<T> {
  const { signal, notAfterMs } = group;
  return new Promise<T>((resolve, reject) => {
    const tracked = track(reject);
    let open = true;
    const end = (kind: Exclude<OutcomeKind, 'blocked'>, detail: string | null): void => {
      if (!open) return;
      open = false;
      leave();
      ended(kind, detail);
    };
    const leave = group.join(() => {
      reject(deadlinePassed(`${effect.capability} (${effect.idempotencyKey})`, effect.deadlineMs));
      tracked.unconfirmed();
      end('unknown', UNCONFIRMED);
    });
    invoke(() => call({ signal, idempotencyKey: effect.idempotencyKey, notAfterMs, recheck })).then(
      (result) => {
        tracked.ended();
        end('landed', null);
        resolve(result);
      },
      (thrown: unknown) => {
        const said = wordsOf(thrown);
        tracked.ended();
        end(thrown instanceof EffectFailedError ? 'failed' : 'unknown', said);
        reject(thrown instanceof Error ? thrown : new KilldrillError('CALL_FAILED', said, { cause: thrown }));
      },
    );
  });
}

/** A call that throws before it returns a promise has failed like any other. */
function invoke<T>(call: () => Promise<T>): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (thrown) {
    return Promise.reject(
      thrown instanceof Error ? thrown : new KilldrillError('CALL_FAILED', wordsOf(thrown), { cause: thrown }),
    );
  }
}

/** What a foreign error says, whatever it is, in a form that the journal can store: PostgreSQL's texts hold no NUL. */
function wordsOf(thrown: unknown): string {
  try {
    return String(messageOf(thrown)).slice(0, 500).replaceAll('\0', '\uFFFD');
  } catch {
    return 'something was thrown that cannot be put into words';
  }
}
