import { decide, Engagements, parseFlip } from '../../src/index.ts';
import type { ActiveStop, FlipRecord, FlipSource, Subject } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';
import { withOtherStops } from './shadow-decider.ts';

export const acceptsAForgedRelease: Mutant = {
  name: 'accepts-a-forged-release',
  bug: 'lets go of what a notification says was released, whoever has signed it',
  removes: ['signatures', 'releases by the contiguous prefix only'],
  property: 'forged_or_replayed_refused',
  scenario: 'forged-release',
  bend({ runtime, differs }) {
    const lifted = new Set<string>();
    const heard = (record: FlipRecord | null): void => {
      const flip = record === null ? null : parseFlip(record.text);
      if (flip?.kind === 'release') for (const id of flip.engagements) lifted.add(id);
    };
    const stopFor = (subject: Subject): ActiveStop | null => {
      const { registry } = runtime();
      const left = new Engagements();
      for (const engagement of registry.openEngagements()) if (!lifted.has(engagement.id)) left.open(engagement);
      const decision = decide(left, subject, registry.grounds);
      if (decision.kind === 'pass') return null;
      return { engagement: decision.engagement, revision: registry.revisionOf(decision.engagement.id) };
    };
    return {
      decider: (genuine) => withOtherStops(genuine, stopFor, differs),
      store: (genuine) => ({ ...genuine, source: overheard(genuine.source, heard) }),
      knowsKeys: false,
    };
  },
};

function overheard(source: FlipSource, heard: (record: FlipRecord | null) => void): FlipSource {
  return {
    load: (proof) => source.load(proof),
    flipsAfter: (head) => source.flipsAfter(head),
    relay: (text, signature) => source.relay(text, signature),
    listen: (onFlip, lost) =>
      source.listen((record) => {
        heard(record);
        onFlip(record);
      }, lost),
  };
}
