import { decide, Engagements } from '../../src/index.ts';
import type { ActiveStop, Subject } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';
import { withOtherStops } from './shadow-decider.ts';

export const ignoresTenantScope: Mutant = {
  name: 'ignores-tenant-scope',
  bug: 'stops of a tenant never match; all others do',
  removes: ['decision'],
  property: 'no_effect_after_stop',
  scenario: 'tenant',
  bend({ runtime, differs }) {
    const stopFor = (subject: Subject): ActiveStop | null => {
      const others = new Engagements();
      const { registry } = runtime();
      for (const engagement of registry.openEngagements()) if (engagement.scope !== 'tenant') others.open(engagement);
      const decision = decide(others, subject);
      if (decision.kind === 'pass') return null;
      return { engagement: decision.engagement, revision: registry.revisionOf(decision.engagement.id) };
    };
    return { decider: (genuine) => withOtherStops(genuine, stopFor, differs) };
  },
};
