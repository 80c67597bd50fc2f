import { Registry } from '../../src/index.ts';
import type { Decider, Fence, FenceAnswer, FlipSource, Head, StoreAnswer, WorkerStore } from '../../src/index.ts';
import type { Mutant, MutantContext } from './mutant.ts';
import { comparedWith } from './shadow-decider.ts';

export const neverSubscribes: Mutant = {
  name: 'never-subscribes',
  bug: 'hears of no flip after its start, yet keeps its lease and names the head that the store names',
  removes: ['propagation', 'flips in stale answers'],
  property: 'no_intent_after_stop',
  scenario: 'tenant',
  bend(context) {
    const deaf = new DeafStore(context);
    return { decider: (genuine) => deaf.watch(genuine), store: (genuine) => deaf.wrap(genuine) };
  },
};

/** Answers with everything but the flips. What it swallows goes into a registry of its own, to compare decisions with. */
class DeafStore {
  readonly #context: MutantContext;
  readonly #heard: Registry;
  #named: Head | null = null;

  constructor(context: MutantContext) {
    this.#context = context;
    this.#heard = new Registry(context.namespace);
  }

  watch(genuine: Decider): Decider {
    return comparedWith(genuine, () => this.#heard, this.#context.differs);
  }

  wrap(genuine: WorkerStore): WorkerStore {
    return { ...genuine, source: this.#source(genuine.source), fence: this.#fence(genuine.fence) };
  }

  #source(source: FlipSource): FlipSource {
    return {
      load: async (proof) => {
        const answer = await source.load(proof);
        this.#heard.load(answer);
        this.#named = answer.head;
        return answer;
      },
      flipsAfter: async (head) => {
        const answer = await source.flipsAfter(this.#named ?? head);
        if (answer.kind === 'flips') this.#swallow(answer, answer.flips);
        return { kind: 'flips', flips: [], head, ageMs: answer.ageMs };
      },
      relay: (text, signature) => source.relay(text, signature),
      listen: () => Promise.resolve({ close: () => Promise.resolve() }),
    };
  }

  #fence(fence: Fence): Fence {
    const keepUp = async (head: Head, ask: (head: Head) => Promise<FenceAnswer>): Promise<FenceAnswer> => {
      for (;;) {
        const answer = await ask(this.#named ?? head);
        if (answer.kind !== 'stale') return answer;
        this.#swallow(answer, answer.flips);
      }
    };
    return {
      admitIntents: (incarnation, head, intents) =>
        keepUp(head, (named) => fence.admitIntents(incarnation, named, intents)),
      enqueue: (head, tasks) => keepUp(head, (named) => fence.enqueue(named, tasks)),
    };
  }

  #swallow(answer: StoreAnswer, flips: Parameters<Registry['apply']>[0]): void {
    this.#heard.apply(flips);
    this.#named = this.#heard.head ?? answer.head;
  }
}
