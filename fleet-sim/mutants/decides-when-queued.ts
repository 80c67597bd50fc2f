import type { Effect, EffectCall, Sending } from '../../src/index.ts';
import { gateWith } from './gate-with.ts';
import type { Mutant } from './mutant.ts';

/** How long a lookup waits for its turn; with the longest service still within any deadline. */
const TURN_MS = 1_200;
const LOOKUPS: readonly string[] = ['tool/search', 'read/crm'];

export const decidesWhenQueued: Mutant = {
  name: 'decides-when-queued',
  bug: 'decides when a lookup is put into its own queue for a rate limit, not when it leaves more than a second later, and an abort of the time in between goes unheard',
  removes: ['second decision', 'abort of what is queued'],
  property: 'no_effect_after_stop',
  scenario: 'two-flips',
  bend({ differs }) {
    return {
      tools: (genuine) => {
        const { gate, clock } = genuine;
        const turn = (): Promise<void> => new Promise((resolve) => void clock.after(TURN_MS, resolve));
        const queued =
          <T>(effect: Effect, call: EffectCall<T>): EffectCall<T> =>
          async (sending) => {
            await turn();
            const why = whyNot(sending);
            if (why !== null) differs({ input: effect, unmodified: why, mutated: 'sent' });
            return call({ ...sending, signal: heardFromNowOn(sending.signal) });
          };
        return {
          ...genuine,
          gate: gateWith(gate, {
            run: (effect, call) => gate.run(effect, LOOKUPS.includes(effect.capability) ? queued(effect, call) : call),
          }),
        };
      },
    };
  },
};

/** What the unmodified worker would have heard by now; null when it would send. */
function whyNot({ signal, recheck }: Sending): string | null {
  if (signal.aborted) return `aborted: ${String(signal.reason)}`;
  try {
    recheck();
    return null;
  } catch (refusal) {
    return String(refusal);
  }
}

/** An event that has been before nobody listens is never heard. */
function heardFromNowOn(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  return controller.signal;
}
