import type {
  Asked,
  Decider,
  Fence,
  FenceAnswer,
  FlipSource,
  Lease,
  StoreAnswer,
  WorkerStore,
} from '../../src/index.ts';
import type { MutantContext } from './mutant.ts';

/** Whether there is nothing in an answer that is yet to be applied. */
type IsProof<A> = (answer: A) => boolean;

/**
 * A lease of a mutant's own beside the genuine one, renewed by the same answers where these bring no news. Its worker goes on
 * for as long as either is held.
 */
export class SecondLease {
  readonly #lease: Lease;
  readonly #countsFrom: 'question' | 'answer';
  readonly #differs: MutantContext['differs'];

  constructor(lease: Lease, countsFrom: 'question' | 'answer', differs: MutantContext['differs']) {
    this.#lease = lease;
    this.#countsFrom = countsFrom;
    this.#differs = differs;
  }

  watch(genuine: Decider): Decider {
    return {
      get version() {
        return genuine.version;
      },
      stopFor: (subject) => genuine.stopFor(subject),
      verified: () => {
        if (genuine.verified()) return true;
        if (!this.#lease.held()) return false;
        this.#differs({ input: 'a lease that has ended', unmodified: 'unverified', mutated: 'verified' });
        return true;
      },
    };
  }

  wrap(genuine: WorkerStore): WorkerStore {
    return { ...genuine, source: this.#source(genuine.source), fence: this.#fence(genuine.fence) };
  }

  #source(genuine: FlipSource): FlipSource {
    return {
      load: (proof) =>
        this.#renewedBy(
          () => genuine.load(proof),
          () => true,
        ),
      flipsAfter: (head) =>
        this.#renewedBy(
          () => genuine.flipsAfter(head),
          (answer) => answer.kind === 'flips' && answer.flips.length === 0,
        ),
      relay: (text, signature) => genuine.relay(text, signature),
      listen: (onFlip, lost) => genuine.listen(onFlip, lost),
    };
  }

  #fence(genuine: Fence): Fence {
    const isProof = ({ kind }: FenceAnswer): boolean => kind === 'admitted';
    return {
      admitIntents: (incarnation, head, intents) =>
        this.#renewedBy(() => genuine.admitIntents(incarnation, head, intents), isProof),
      enqueue: (head, tasks) => this.#renewedBy(() => genuine.enqueue(head, tasks), isProof),
    };
  }

  async #renewedBy<A extends StoreAnswer>(ask: () => Promise<A>, isProof: IsProof<A>): Promise<A> {
    const sent = this.#lease.asked();
    const answer = await ask();
    const from: Asked = this.#countsFrom === 'question' ? sent : this.#lease.asked();
    if (isProof(answer)) this.#lease.renew(from, answer);
    return answer;
  }
}
