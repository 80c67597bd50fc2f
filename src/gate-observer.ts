import type { Effect } from './effect.ts';
import type { HaltedError } from './halted-error.ts';
import type { OutcomeKind } from './store/store.ts';
import type { Subject } from './switch.ts';

/**
 * Is told by a gate what became of effects, after the fact: it decides nothing, and a check costs nothing more for it.
 * Called in the agent's own process and tick, so each call should be short.
 */
export interface GateObserver {
  /** The call has been made: its bytes may have left. */
  sent(subject: Subject, effect: Effect): void;
  /** It has ended, or its deadline has passed. Once for each that was sent. */
  ended(subject: Subject, effect: Effect, outcome: Exclude<OutcomeKind, 'blocked'>): void;
  /** It was not made. Also for every further call of a run that is latched. */
  refused(subject: Subject, effect: Effect, error: HaltedError): void;
}

/** An observer whose errors hurt no effect: they are reported, and the effect goes its way. */
export function guardedObserver(observer: GateObserver, report: (error: unknown) => void): GateObserver {
  const guarded = (tell: () => void): void => {
    try {
      tell();
    } catch (error) {
      report(error);
    }
  };
  return {
    sent: (subject, effect) => guarded(() => observer.sent(subject, effect)),
    ended: (subject, effect, outcome) => guarded(() => observer.ended(subject, effect, outcome)),
    refused: (subject, effect, error) => guarded(() => observer.refused(subject, effect, error)),
  };
}
