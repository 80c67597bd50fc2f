import type pg from 'pg';
import { vi } from 'vitest';
import type { FenceAnswer, FlipAnswer, Head, Intent } from '../../../../src/store/store.ts';
import { intentColumns } from '../../../../src/store/postgres/intent-columns.ts';

/** The statements that the ports send, on a connection of the test's own, so that it can hold its transaction open. */

export async function begin(client: pg.Client, isolation = 'read committed'): Promise<void> {
  await client.query(`begin isolation level ${isolation}`);
}

export async function admit(
  client: pg.Client,
  namespace: string,
  head: Head,
  incarnation: string,
  intents: readonly Intent[],
): Promise<FenceAnswer> {
  const values = [namespace, 0, head.epoch, head.revision, head.hash, incarnation, ...intentColumns(intents)];
  const places = values.map((_, index) => `$${index + 1}`).join(', ');
  return oneAnswer(client, `select killdrill.admit_intents(${places}) as answer`, values);
}

export async function flip(client: pg.Client, namespace: string, text: string, lockMs = 10_000): Promise<FlipAnswer> {
  return oneAnswer(client, 'select killdrill.flip($1, $2, null, $3) as answer', [namespace, text, lockMs]);
}

/** Calls one of the store's functions. */
export async function call<T>(client: pg.Client, name: string, ...values: unknown[]): Promise<T> {
  const places = values.map((_, index) => `$${index + 1}`).join(', ');
  return oneAnswer(client, `select killdrill.${name}(${places}) as answer`, values);
}

export async function oneAnswer<T>(client: pg.Client, text: string, values: unknown[]): Promise<T> {
  const { rows } = await client.query<{ answer: T }>(text, values);
  const [row] = rows;
  if (row === undefined) throw new Error(`no row from ${text}`);
  return row.answer;
}

/** Waits until so many of the database's sessions wait for a lock. */
export async function untilWaiting(observer: pg.Client, sessions: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await observer.query(
        `select from pg_locks where not granted and locktype in ('advisory', 'transactionid', 'tuple')
         and pid in (select pid from pg_stat_activity where datname = current_database())`,
      );
      if (rows.length < sessions) throw new Error(`${rows.length} sessions wait, expected ${sessions}`);
    },
    { timeout: 10_000, interval: 5 },
  );
}

export async function pidOf(client: pg.Client): Promise<number> {
  return oneAnswer(client, 'select pg_backend_pid() as answer', []);
}
