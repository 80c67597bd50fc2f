import type { Mutant } from './mutant.ts';

export const staysUnverified: Mutant = {
  name: 'stays-unverified',
  bug: 'a lease that was lost once counts as lost for ever, like a circuit breaker without a way back',
  removes: ['lease'],
  property: 'no_spurious_halt',
  scenario: 'store-lost',
  bend({ differs }) {
    return {
      decider: (genuine) => {
        let wasLost = false;
        // The first load is still under way when it is asked first: nothing was lost yet.
        let wasHeld = false;
        return {
          get version() {
            return genuine.version;
          },
          stopFor: (subject) => genuine.stopFor(subject),
          verified: () => {
            const verified = genuine.verified();
            wasHeld ||= verified;
            wasLost ||= wasHeld && !verified;
            if (verified && wasLost)
              differs({ input: 'a lease renewed', unmodified: 'verified', mutated: 'unverified' });
            return verified && !wasLost;
          },
        };
      },
    };
  },
};
