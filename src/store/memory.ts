import { KilldrillError } from '../errors.ts';
import { parseFlip } from '../flip-text.ts';
import { compareHead, flipsAfter, openFlips, putFlip, readFlip } from './memory-flips.ts';
import { journalKey } from './memory-state.ts';
import type { MemoryState } from './memory-state.ts';
import { claimTasks, claimedTask, endTask, enqueueTasks, giveBackTask } from './memory-tasks.ts';
import type {
  ClaimToken,
  ClaimedTask,
  Fence,
  FenceAnswer,
  FlipAnswer,
  FlipRecord,
  FlipSource,
  FlipStore,
  FlipsAnswer,
  Head,
  Intent,
  LoadAnswer,
  NewTask,
  OpenEngagement,
  Outcome,
  OutcomeSink,
  RelayAnswer,
  StoreAnswer,
  Subscription,
  TaskEnd,
  TaskQueue,
} from './store.ts';

type Ports = FlipSource & Fence & OutcomeSink & TaskQueue & FlipStore;
export type StoreOperation = keyof Ports;

/** Where a test may interleave. Each may throw: before, the call never reached the store; after, its answer was lost. */
export interface MemoryHooks {
  readonly before?: (operation: StoreOperation) => Promise<void> | void;
  readonly after?: (operation: StoreOperation) => Promise<void> | void;
}

const DEFAULT_MINIMUM_AGE_MS = 600;

/**
 * One handle on a store that lives in this process, behind the same ports as PostgreSQL and with the same answers. Each
 * operation happens in one tick, between the two hooks. For tests: nothing in it survives the process.
 */
export class MemoryStore implements FlipSource, Fence, OutcomeSink, TaskQueue, FlipStore {
  readonly #state: MemoryState;
  readonly #hooks: MemoryHooks;
  readonly #minimumAgeMs: number;

  /** `minimumAgeMs` is H of DESIGN §3.6; 600 ms. */
  constructor(state: MemoryState, hooks: MemoryHooks = {}, minimumAgeMs = DEFAULT_MINIMUM_AGE_MS) {
    this.#state = state;
    this.#hooks = hooks;
    this.#minimumAgeMs = minimumAgeMs;
  }

  load(): Promise<LoadAnswer> {
    return this.#do('load', () => ({ ...this.#answer(), open: openFlips(this.#state) }));
  }

  flipsAfter(head: Head): Promise<FlipsAnswer> {
    return this.#do('flipsAfter', () => {
      if (compareHead(this.#state, head) === 'diverged') return { ...this.#answer(), kind: 'diverged' };
      return { ...this.#answer(), kind: 'flips', flips: flipsAfter(this.#state, head.revision) };
    });
  }

  relay(text: string, signature: string | null): Promise<RelayAnswer> {
    return this.#do('relay', () => {
      const flip = readFlip(this.#state, text);
      if (flip.kind !== 'stop') {
        throw new KilldrillError(
          'RELAY_REFUSED',
          `only a stop may be relayed, and flip '${flip.id}' is of kind '${flip.kind}'`,
        );
      }
      const { record, engagement } = putFlip(this.#state, text, signature);
      const kind = engagement?.closedRevision === null ? 'open' : 'closed';
      return { ...this.#answer(), kind, revision: record.revision };
    });
  }

  listen(onFlip: (record: FlipRecord | null) => void, lost: (error: Error) => void): Promise<Subscription> {
    return this.#do('listen', () => {
      const listener = { onFlip, lost };
      this.#state.listeners.add(listener);
      return {
        close: async () => {
          this.#state.listeners.delete(listener);
        },
      };
    });
  }

  admitIntents(incarnation: string, head: Head, intents: readonly Intent[]): Promise<FenceAnswer> {
    return this.#do('admitIntents', () => this.#fenced(head, () => this.#insertIntents(incarnation, intents)));
  }

  enqueue(head: Head, tasks: readonly NewTask[]): Promise<FenceAnswer> {
    return this.#do('enqueue', () =>
      this.#fenced(head, () => {
        enqueueTasks(this.#state, tasks);
        return [];
      }),
    );
  }

  record(incarnation: string, outcomes: readonly Outcome[]): Promise<void> {
    return this.#do('record', () => {
      for (const outcome of outcomes) {
        const key = journalKey(incarnation, outcome.seq);
        if (!this.#state.outcomes.has(key)) this.#state.outcomes.set(key, { incarnation, outcome });
      }
    });
  }

  claim(_incarnation: string, limit: number, claimMs: number): Promise<readonly ClaimedTask[]> {
    return this.#do('claim', () => claimTasks(this.#state, limit, claimMs));
  }

  finish(claim: ClaimToken, end: TaskEnd): Promise<boolean> {
    return this.#do('finish', () => {
      const task = claimedTask(this.#state, claim);
      if (task !== null) endTask(task, end);
      return task !== null;
    });
  }

  giveBack(claim: ClaimToken): Promise<boolean> {
    return this.#do('giveBack', () => {
      const task = claimedTask(this.#state, claim);
      if (task !== null) giveBackTask(task);
      return task !== null;
    });
  }

  flip(text: string, signature: string | null): Promise<FlipAnswer> {
    return this.#do('flip', () => {
      const { record } = putFlip(this.#state, text, signature);
      return { ...this.#answer(), record };
    });
  }

  openEngagements(): Promise<readonly OpenEngagement[]> {
    return this.#do('openEngagements', () =>
      openFlips(this.#state).map(({ revision, text }) => ({ revision, flip: parseFlip(text) })),
    );
  }

  async #do<T>(operation: StoreOperation, work: () => T): Promise<T> {
    await this.#hooks.before?.(operation);
    const answer = work();
    await this.#hooks.after?.(operation);
    return answer;
  }

  #answer(): StoreAnswer {
    return { head: this.#state.head, ageMs: this.#state.ageMs };
  }

  #fenced(head: Head, insert: () => readonly number[]): FenceAnswer {
    const answer = this.#answer();
    if (answer.ageMs < this.#minimumAgeMs) return { ...answer, kind: 'young' };
    const how = compareHead(this.#state, head);
    if (how === 'diverged') return { ...answer, kind: 'diverged' };
    if (how === 'prefix') return { ...answer, kind: 'stale', flips: flipsAfter(this.#state, head.revision) };
    return { ...answer, kind: 'admitted', disowned: insert() };
  }

  #insertIntents(incarnation: string, intents: readonly Intent[]): readonly number[] {
    const owned = intents.filter(({ claim }) => claim === null || claimedTask(this.#state, claim) !== null);
    const repeated = owned.find(({ seq }) => this.#state.intents.has(journalKey(incarnation, seq)));
    if (repeated !== undefined) {
      throw new KilldrillError(
        'INTENT_REPEATED',
        `intent ${repeated.seq} of incarnation '${incarnation}' is there already; nothing was admitted`,
      );
    }
    const afterRevision = this.#state.head.revision;
    for (const intent of owned) {
      this.#state.intents.set(journalKey(incarnation, intent.seq), { incarnation, intent, afterRevision });
    }
    return intents.filter((intent) => !owned.includes(intent)).map(({ seq }) => seq);
  }
}
