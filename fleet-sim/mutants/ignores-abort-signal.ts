import type { Mutant } from './mutant.ts';

export const ignoresAbortSignal: Mutant = {
  name: 'ignores-abort-signal',
  bug: 'its calls never look at their signal, so that a stop does not reach a call that is out',
  removes: ['abort'],
  property: 'in_flight_cancelled',
  scenario: 'tenant',
  bend({ differs }) {
    return {
      signalOf: (signal) => {
        signal.addEventListener(
          'abort',
          () =>
            differs({
              input: 'a call in flight is aborted',
              unmodified: 'its connection is closed',
              mutated: 'it goes on',
            }),
          { once: true },
        );
        return undefined;
      },
    };
  },
};
