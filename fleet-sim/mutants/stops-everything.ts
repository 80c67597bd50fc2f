import type { ActiveStop, Subject } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';
import { withOtherStops } from './shadow-decider.ts';

export const stopsEverything: Mutant = {
  name: 'stops-everything',
  bug: 'takes every stop for a global one',
  removes: ['decision'],
  property: 'blast_radius_contained',
  scenario: 'tenant',
  bend({ runtime, differs }) {
    return {
      decider: (genuine) => {
        const stopFor = (subject: Subject): ActiveStop | null => {
          const [any] = runtime().registry.openEngagements();
          return any === undefined ? genuine.stopFor(subject) : { engagement: any, revision: null };
        };
        return withOtherStops(genuine, stopFor, differs);
      },
    };
  },
};
