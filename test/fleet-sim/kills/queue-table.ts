import type pg from 'pg';
import type { JournalRow, TaskChange, TaskEndRow } from './judge.ts';

/** The queue of one namespace as its owner sees it. */
export class QueueTable {
  readonly #owner: pg.Client;
  readonly #namespace: string;
  #asked: Promise<unknown> = Promise.resolve();

  constructor(owner: pg.Client, namespace: string) {
    this.#owner = owner;
    this.#namespace = namespace;
  }

  /** The time of these workers' claims is over; who is alive keeps theirs. Again and again: what they sent last may be done late. */
  async endClaims(dead: readonly string[]): Promise<void> {
    await this.#rows(
      `update killdrill.task t set claim_deadline = clock_timestamp() from (
         select id from killdrill.task where namespace = $1 and state = 'running'
           -- An incarnation is its worker's name, a hyphen and a UUID.
           and left(claimed_by, -37) = any ($2) and claim_deadline > clock_timestamp() for update skip locked) as left_behind
       where t.namespace = $1 and t.id = left_behind.id returning 1`,
      [dead],
    );
  }

  async states(): Promise<Readonly<Record<string, number>>> {
    const rows = await this.#rows<{ state: string; count: number }>(
      'select state, count(*)::integer as count from killdrill.task where namespace = $1 group by state',
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  async openSweeps(): Promise<number> {
    const rows = await this.#rows(
      'select from killdrill.sweep where namespace = $1 and done_at is null and not_before <= clock_timestamp()',
    );
    return rows.length;
  }

  async unknownRuns(): Promise<readonly string[]> {
    const rows = await this.#rows<{ run: string }>(
      `select distinct run from killdrill.task where namespace = $1 and state = 'unknown' order by run limit 1000`,
    );
    return rows.map(({ run }) => run);
  }

  tasks(): Promise<readonly TaskEndRow[]> {
    return this.#rows('select id, kind, state from killdrill.task where namespace = $1 order by id');
  }

  changes(): Promise<readonly TaskChange[]> {
    return this.#rows('select task, "from", "to" from killdrill.drill_task_change where namespace = $1 order by seq');
  }

  journal(): Promise<readonly JournalRow[]> {
    return this.#rows(
      `select i.idempotency_key as key, t.id as task, o.kind as outcome
       from killdrill.task t join killdrill.intent i on i.claim_token = any (t.claim_tokens)
       left join killdrill.outcome o on o.incarnation = i.incarnation and o.seq = i.seq
       where t.namespace = $1 order by i.xid, i.seq`,
    );
  }

  /** One question at a time, whoever asks. */
  #rows<T extends pg.QueryResultRow>(sql: string, more: readonly unknown[] = []): Promise<readonly T[]> {
    const answer = this.#asked.then(async () => (await this.#owner.query<T>(sql, [this.#namespace, ...more])).rows);
    this.#asked = answer.catch(() => undefined);
    return answer;
  }
}
