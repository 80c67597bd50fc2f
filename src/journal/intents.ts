import { FencedBatches } from '../fenced-batches.ts';
import type { FenceContext, FencedLimits } from '../fenced-batches.ts';
import type { HaltedError } from '../halted-error.ts';
import type { Fence, Intent } from '../store/store.ts';
import type { OutcomeBuffer } from './outcomes.ts';

/** An intent without its number, which it gets when its batch is formed. */
export type IntentWish = Omit<Intent, 'seq'>;

/** Intents on their way into the journal, through the fence. */
export class IntentJournal {
  readonly #batches: FencedBatches<Intent, number>;
  #lastSeq = 0;
  #admitted = 0;

  constructor(
    incarnation: string,
    fence: Fence,
    outcomes: OutcomeBuffer,
    context: FenceContext,
    limits?: FencedLimits,
  ) {
    this.#batches = new FencedBatches<Intent, number>(
      context,
      {
        send: (head, intents) => fence.admitIntents(incarnation, head, intents),
        // Its names are short, each; only of ancestors are there many.
        lengthOf: ({ lineage }) => lineage.reduce((length, ancestor) => length + ancestor.length, 0),
        admitted: (intent) => {
          this.#admitted += 1;
          return intent.seq;
        },
        disowned: (intent, answer) => answer.kind === 'admitted' && answer.disowned.includes(intent.seq),
        // Whether they got in is unknown, that they were not dispatched is certain.
        givenUp: (intents) => {
          for (const { seq } of intents) outcomes.add({ seq, kind: 'blocked', detail: 'batch given up' });
        },
      },
      limits,
    );
  }

  /** How many intents this incarnation got admitted. */
  get admittedCount(): number {
    return this.#admitted;
  }

  /** Has one intent admitted and resolves with its number. @throws as `FencedBatches.admit`. */
  admit(wish: IntentWish, refusal: () => HaltedError | null): Promise<number> {
    return this.#batches.admit(wish.agent, () => ({ ...wish, seq: this.#nextSeq() }), refusal);
  }

  idle(): Promise<void> {
    return this.#batches.idle();
  }

  #nextSeq(): number {
    this.#lastSeq += 1;
    return this.#lastSeq;
  }
}
