import { decide, Engagements } from '../../src/index.ts';
import type { ActiveStop, Subject } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';
import { withOtherStops } from './shadow-decider.ts';

export const sticksAfterRelease: Mutant = {
  name: 'sticks-after-release',
  bug: 'keeps each stop that it has ever enforced: a release changes nothing',
  removes: ['releases'],
  property: 'release_takes_effect',
  scenario: 'tenant',
  bend({ runtime, differs }) {
    const everOpen = new Engagements();
    const stopFor = (subject: Subject): ActiveStop | null => {
      const { registry } = runtime();
      for (const engagement of registry.openEngagements()) everOpen.open(engagement);
      const decision = decide(everOpen, subject, registry.grounds);
      if (decision.kind === 'pass') return null;
      return { engagement: decision.engagement, revision: registry.revisionOf(decision.engagement.id) };
    };
    return { decider: (genuine) => withOtherStops(genuine, stopFor, differs) };
  },
};
