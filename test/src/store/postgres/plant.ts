import type pg from 'pg';
import { expect } from 'vitest';

/** Changes a function of the store by a replacement in its text, which must be there once. */
export async function plant(owner: pg.Client, name: string, from: string, to: string): Promise<void> {
  const { rows } = await owner.query<{ definition: string }>(
    `select pg_get_functiondef(oid) as definition from pg_proc where proname = $1 and pronamespace = 'killdrill'::regnamespace`,
    [name],
  );
  const definition = rows[0]?.definition ?? '';
  expect(definition.split(from), `${name} says '${from}' once`).toHaveLength(2);
  await owner.query(`set search_path = killdrill, pg_temp; ${definition.replace(from, to)}; reset search_path`);
}
