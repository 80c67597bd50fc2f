import { engagementStops, switchMatches } from '../../src/index.ts';
import type { ActiveStop, Engagement, Scope, Subject } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';
import { withOtherStops } from './shadow-decider.ts';

const NARROWEST_FIRST: readonly Scope[] = ['run', 'agent', 'capability', 'feature', 'tenant', 'global'];

export const narrowUnshadowsWide: Mutant = {
  name: 'narrow-unshadows-wide',
  bug: 'lets the narrowest switch that covers a call decide alone, as for settings: a milder stop of a tenant hides a harder one of everything',
  removes: ['decision'],
  property: 'no_effect_after_stop',
  scenario: 'overlapping',
  bend({ runtime, differs }) {
    const stopFor = (subject: Subject): ActiveStop | null => {
      const { registry } = runtime();
      const decisive = narrowest(registry.openEngagements().filter((engagement) => switchMatches(engagement, subject)));
      if (decisive === null || !engagementStops(decisive, subject, registry.grounds)) return null;
      return { engagement: decisive, revision: registry.revisionOf(decisive.id) };
    };
    return { decider: (genuine) => withOtherStops(genuine, stopFor, differs) };
  },
};

function narrowest(matching: readonly Engagement[]): Engagement | null {
  for (const scope of NARROWEST_FIRST) {
    const found = matching.find((engagement) => engagement.scope === scope);
    if (found !== undefined) return found;
  }
  return null;
}
