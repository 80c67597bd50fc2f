import { decide, Engagements } from '../../src/index.ts';
import type { ActiveStop, Subject } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';
import { withOtherStops } from './shadow-decider.ts';

export const flagCachedAtBoot: Mutant = {
  name: 'flag-cached-at-boot',
  bug: 'decides from the picture that it loaded at its start, while the applied head goes on',
  removes: ['registry'],
  property: 'no_effect_after_stop',
  scenario: 'tenant',
  bend({ runtime, differs }) {
    let picture: Engagements | null = null;
    const stopFor = (subject: Subject): ActiveStop | null => {
      picture ??= bootPicture(runtime().registry.openEngagements());
      const decision = decide(picture, subject);
      return decision.kind === 'pass' ? null : { engagement: decision.engagement, revision: null };
    };
    return { decider: (genuine) => withOtherStops(genuine, stopFor, differs) };
  },
};

function bootPicture(open: Iterable<Parameters<Engagements['open']>[0]>): Engagements {
  const picture = new Engagements();
  for (const engagement of open) picture.open(engagement);
  return picture;
}
