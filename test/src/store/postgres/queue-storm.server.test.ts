import { randomInt } from 'node:crypto';
import type pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { prepareDatabase } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';
import { watchChanges } from './queue-history.ts';
import { runStorm } from './queue-storm-run.ts';

const STORMS = 20;
/** A bug that this many storms do not find, they do not guard against. */
const TRIES = 20;
const GIVEN_SEED = process.env['KILLDRILL_STORM_SEED'];

let database: PreparedDatabase;
let owner: pg.Client;
beforeEach(async () => {
  database = await prepareDatabase();
  owner = await database.connect(database.ownerUrl);
  await watchChanges(owner);
  return () => database.close();
});

function seeds(count: number): readonly string[] {
  return GIVEN_SEED === undefined ? Array.from({ length: count }, () => String(randomInt(2 ** 31))) : [GIVEN_SEED];
}

/** Changes a function of the store by a replacement in its text, which must be there once. */
async function plant(name: string, from: string, to: string): Promise<void> {
  const { rows } = await owner.query<{ definition: string }>(
    `select pg_get_functiondef(oid) as definition from pg_proc where proname = $1 and pronamespace = 'killdrill'::regnamespace`,
    [name],
  );
  const definition = rows[0]?.definition ?? '';
  expect(definition.split(from), `${name} says '${from}' once`).toHaveLength(2);
  await owner.query(`set search_path = killdrill, pg_temp; ${definition.replace(from, to)}; reset search_path`);
}

describe('a storm over the queue, with backends killed', () => {
  test('loses nothing, ends each task once, runs nothing that is stopped, and parks only what is', async () => {
    for (const seed of seeds(STORMS)) await runStorm(database, owner, seed);
  }, 300_000);

  test.each([
    [
      'a discard that ends with its release',
      'ruling',
      'and e.key = any (p_keys) and e.opened_revision > p_stamp',
      'and e.key = any (p_keys) and e.opened_revision > p_stamp and e.closed_revision is null',
    ],
    [
      'a stop in the midst of a run that is forgotten',
      'put_back',
      'coalesce(p_engagement, t.halted_by) as halted_by',
      't.halted_by',
    ],
    ['a critical class that passes every stop', 'stops', "e.mode = 'halt_noncritical' and p_critical", 'p_critical'],
    ['a drain without an end', 'stops', 'and p_now < e.drain_until', ''],
    [
      'a retry that asks nobody',
      'put_back',
      'else waits_as(r.doomed, r.halted) end into',
      "else case when p_retry_ms is null then waits_as(r.doomed, r.halted) else 'queued' end end into",
    ],
    ['a claim that does not settle what was stopped', 'claim', 'when c.doomed or c.halted then', 'when c.doomed then'],
    [
      'a release that parks nothing out',
      'sweep_batch',
      't.state = \'parked\' and t.id collate "C" > s.cursor order by t.id collate "C" limit p_limit)\n    when',
      'false)\n    when',
    ],
  ])(
    'finds %s',
    async (_name, func, from, to) => {
      await plant(func, from, to);
      await expect(async () => {
        for (const seed of seeds(TRIES)) await runStorm(database, owner, seed);
      }).rejects.toSatisfy((e: Error) => { console.log(_name, "::", e.message.slice(0, 600)); return true; });
    },
    120_000,
  );
});
