import type pg from 'pg';
import { Registry } from '../../src/index.ts';
import type { ClaimedTask, Decider, FlipSource, TaskQueue } from '../../src/index.ts';
import type { Mutant, MutantContext } from './mutant.ts';
import { ownPool } from './own-pool.ts';
import { comparedWith } from './shadow-decider.ts';

export const forgetsOnRestart: Mutant = {
  name: 'forgets-on-restart',
  bug: 'a worker that starts under a stop loads no open engagements, and takes what is parked for work whose stop is over',
  removes: ['registry load', "engagements in the store's claim"],
  property: 'halt_survives_restart',
  scenario: 'restart',
  grants: ['select, update on killdrill.task'],
  bend(context) {
    const life = new ForgetfulLife(context);
    return {
      decider: (genuine) => life.watch(genuine),
      store: (genuine) => ({
        ...genuine,
        source: life.source(genuine.source),
        tasks: life.queue(genuine.tasks),
        close: async () => void (await Promise.all([genuine.close(), life.close()])),
      }),
    };
  },
};

/** A claim that asks for no engagement. What is not due yet is left alone. */
const UNPARK = `with mine as (
    select id from killdrill.task where namespace = $1 and state = 'parked' and due_at <= clock_timestamp()
    order by due_at, id limit $3 for update skip locked
  )
  update killdrill.task t set state = 'running', parked_at = null, halted_by = null, claim_token = gen_random_uuid(),
    claimed_by = $2, claim_deadline = clock_timestamp() + $4 * interval '1 millisecond', attempts = t.attempts + 1
  from mine where t.namespace = $1 and t.id = mine.id
  returning t.id, t.claim_token::text as token, t.kind, t.run, t.tenant, t.feature, t.agent, t.lineage, t.capability, t.plan,
    t.repeat, t.due_at, t.skipped, t.attempts - 1 as attempts, t.admitted_revision::int as "admittedRevision", t.critical`;

type ParkedRow = Omit<ClaimedTask, 'dueAt' | 'effects'> & { readonly due_at: Date };

/** One life of a worker. It is forgetful only if something was open when it began; the first life never is. */
class ForgetfulLife {
  readonly #context: MutantContext;
  readonly #pool: pg.Pool;
  /** What it should have loaded; null for a life that has forgotten nothing. */
  #forgotten: { readonly registry: Registry; readonly revision: number } | null = null;
  #loaded = false;

  constructor(context: MutantContext) {
    this.#context = context;
    this.#pool = ownPool(context);
  }

  watch(genuine: Decider): Decider {
    return comparedWith(genuine, () => this.#stillForgotten(), this.#context.differs);
  }

  source(genuine: FlipSource): FlipSource {
    return {
      load: async (proof) => {
        const answer = await genuine.load(proof);
        if (this.#loaded || answer.open.length === 0) {
          this.#loaded = true;
          return answer;
        }
        this.#loaded = true;
        const registry = new Registry(this.#context.namespace);
        registry.load(answer);
        this.#forgotten = { registry, revision: answer.head.revision };
        return { ...answer, open: [] };
      },
      flipsAfter: (head) => genuine.flipsAfter(head),
      relay: (text, signature) => genuine.relay(text, signature),
      listen: (onFlip, lost) => genuine.listen(onFlip, lost),
    };
  }

  queue(genuine: TaskQueue): TaskQueue {
    return {
      ...genuine,
      claim: async (incarnation, limit, claimMs) => {
        const claimed = await genuine.claim(incarnation, limit, claimMs);
        if (this.#forgotten === null || claimed.length >= limit) return claimed;
        return [...claimed, ...(await this.#unpark(incarnation, limit - claimed.length, claimMs))];
      },
    };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** Only as long as nothing has been flipped since: afterwards what was forgotten may be over. */
  #stillForgotten(): Registry | null {
    const forgotten = this.#forgotten;
    if (forgotten === null || forgotten.revision !== this.#context.runtime().registry.head?.revision) return null;
    return forgotten.registry;
  }

  async #unpark(incarnation: string, limit: number, claimMs: number): Promise<readonly ClaimedTask[]> {
    const { rows } = await this.#pool.query<ParkedRow>(UNPARK, [this.#context.namespace, incarnation, limit, claimMs]);
    return rows.map(({ due_at, ...task }) => ({ ...task, dueAt: due_at.toISOString(), effects: [] }));
  }
}
