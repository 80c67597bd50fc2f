import { EffectFailedError } from './call.ts';
import type { EffectCall, Sending } from './call.ts';
import type { Effect } from './effect.ts';
import { joinSignals, whenAborted } from './joined-signal.ts';
import type { JoinedSignal } from './joined-signal.ts';

/** What of a gate it takes to send effects. */
export interface Sender {
  run<T>(effect: Effect, call: EffectCall<T>): Promise<T>;
}

/** What a call is given whose caller has a signal, too. */
export interface JoinedSending extends Sending {
  readonly joined: JoinedSignal;
}

/**
 * Sends an effect whose caller has a signal of its own: `call` gets one that fires with either, and the caller is answered
 * by whichever comes first, with its reason. A call that its caller gave up before it was sent is `failed`: it was not done.
 *
 * @throws what the caller's signal carries, or as `Gate.run`.
 */
export function runJoined<T>(
  sender: Sender,
  effect: Effect,
  { caller, call }: { readonly caller: AbortSignal | null; readonly call: (sending: JoinedSending) => Promise<T> },
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (caller?.aborted === true) {
      reject(errorOf(caller.reason));
      return;
    }
    const leave = caller === null ? nothing : whenAborted(caller, () => reject(errorOf(caller.reason)));
    sender
      .run(effect, async (sending) => {
        const joined = joinSignals(sending.signal, caller);
        try {
          if (joined.signal.aborted) throw new EffectFailedError('its caller gave it up before it was sent');
          return await call({ ...sending, signal: joined.signal, joined });
        } finally {
          joined.leave();
        }
      })
      .then(resolve, reject)
      .finally(leave);
  });
}

function nothing(): void {
  // nobody listens
}

/** A signal's reason may be anything; it is passed on as it is. */
function errorOf(reason: unknown): Error {
  return reason as Error;
}
