import { decide, Engagements, parseFlip } from '../../src/index.ts';
import type { ActiveStop, Fence, FenceAnswer, FlipRecord, FlipSource, Head, Subject } from '../../src/index.ts';
import type { Mutant, MutantContext } from './mutant.ts';
import { withOtherStops } from './shadow-decider.ts';

export const singleHighWaterMark: Mutant = {
  name: 'single-high-water-mark',
  bug: 'polls for the newest flip and puts its mark there: of two stops between two polls it never learns of the first',
  removes: ['notifications', 'flips in stale answers', 'registry'],
  property: 'no_effect_after_stop',
  scenario: 'two-flips',
  bend(context) {
    const mark = new Mark(context);
    return {
      decider: (genuine) => withOtherStops(genuine, (subject) => mark.stopFor(subject), context.differs),
      store: (genuine) => ({ ...genuine, source: mark.source(genuine.source), fence: mark.fence(genuine.fence) }),
    };
  },
};

/** The registry goes on as it is; what lies below the mark when a poll finds it is left out of decisions. */
class Mark {
  readonly #context: MutantContext;
  readonly #passedBy = new Set<string>();

  constructor(context: MutantContext) {
    this.#context = context;
  }

  stopFor(subject: Subject): ActiveStop | null {
    const { registry } = this.#context.runtime();
    const known = new Engagements();
    for (const engagement of registry.openEngagements()) if (!this.#passedBy.has(engagement.id)) known.open(engagement);
    const decision = decide(known, subject, registry.grounds);
    if (decision.kind === 'pass') return null;
    return { engagement: decision.engagement, revision: registry.revisionOf(decision.engagement.id) };
  }

  source(genuine: FlipSource): FlipSource {
    return {
      load: (proof) => genuine.load(proof),
      flipsAfter: async (head) => {
        const answer = await genuine.flipsAfter(head);
        if (answer.kind === 'flips') this.#passBy(answer.flips.slice(0, -1));
        return answer;
      },
      relay: (text, signature) => genuine.relay(text, signature),
      listen: () => Promise.resolve({ close: () => Promise.resolve() }),
    };
  }

  /** Names whatever head the store names: what a stale answer brings is left to the next poll. */
  fence(genuine: Fence): Fence {
    const keepUp = async (head: Head, ask: (head: Head) => Promise<FenceAnswer>): Promise<FenceAnswer> => {
      let named = head;
      for (;;) {
        const answer = await ask(named);
        if (answer.kind !== 'stale') return answer;
        named = answer.head;
      }
    };
    return {
      admitIntents: (incarnation, head, intents) =>
        keepUp(head, (named) => genuine.admitIntents(incarnation, named, intents)),
      enqueue: (head, tasks) => keepUp(head, (named) => genuine.enqueue(named, tasks)),
    };
  }

  #passBy(flips: readonly FlipRecord[]): void {
    for (const { text } of flips) this.#passedBy.add(parseFlip(text).id);
  }
}
