import type pg from 'pg';
import type { Fence, FenceAnswer, Head, Intent, NewTask } from '../../src/index.ts';
import type { Mutant, MutantContext } from './mutant.ts';
import { ownPool } from './own-pool.ts';

export const skipsTheFence: Mutant = {
  name: 'skips-the-fence',
  bug: 'writes its intents into the journal by itself, trusting its registry alone',
  removes: ['fence', 'flips in stale answers'],
  property: 'no_intent_after_stop',
  scenario: 'paused',
  grants: ['insert on killdrill.intent'],
  bend(context) {
    return {
      store: (genuine) => {
        const journal = new DirectJournal(genuine.fence, context);
        return {
          ...genuine,
          fence: journal,
          close: async () => void (await Promise.all([genuine.close(), journal.close()])),
        };
      },
    };
  },
};

const INSERT = `insert into killdrill.intent (namespace, incarnation, lineage, seq, run, tenant, feature, agent, capability,
    access, idempotency_key, deadline_ms, task, claim_token)
  select $1, $2, '{}'::text[], b.* from unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::float8[], $12::text[], $13::uuid[]) as b`;

/** Inserts without the lock and the comparison; asks the fence afterwards, with an empty batch, what it would have said. */
class DirectJournal implements Fence {
  readonly #genuine: Fence;
  readonly #context: MutantContext;
  readonly #pool: pg.Pool;

  constructor(genuine: Fence, context: MutantContext) {
    this.#genuine = genuine;
    this.#context = context;
    this.#pool = ownPool(context);
  }

  async admitIntents(incarnation: string, head: Head, intents: readonly Intent[]) {
    const column = (pick: (intent: Intent) => unknown): unknown[] => intents.map(pick);
    await this.#pool.query(INSERT, [
      this.#context.namespace,
      incarnation,
      column(({ seq }) => seq),
      column(({ run }) => run),
      column(({ tenant }) => tenant),
      column(({ feature }) => feature),
      column(({ agent }) => agent),
      column(({ capability }) => capability),
      column(({ access }) => access),
      column(({ idempotencyKey }) => idempotencyKey),
      column(({ deadlineMs }) => deadlineMs),
      column(({ claim }) => claim?.task ?? null),
      column(({ claim }) => claim?.token ?? null),
    ]);
    this.#compare(incarnation, head);
    // No age: a write without a question renews no lease.
    return { kind: 'admitted', head, ageMs: 0, disowned: [] } as const;
  }

  /** Names whatever head the store names, so that the worker does not hear of flips by this way either. */
  async enqueue(head: Head, tasks: readonly NewTask[]): Promise<FenceAnswer> {
    let named = head;
    for (;;) {
      const answer = await this.#genuine.enqueue(named, tasks);
      if (answer.kind !== 'stale') return { ...answer, ageMs: 0 };
      named = answer.head;
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  #compare(incarnation: string, head: Head): void {
    this.#genuine.admitIntents(incarnation, head, []).then(
      ({ kind }) => {
        if (kind === 'stale') this.#context.differs({ input: head, unmodified: kind, mutated: 'admitted' });
      },
      () => undefined,
    );
  }
}
