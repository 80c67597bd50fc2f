import { randomInt } from 'node:crypto';
import type pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { plant } from './plant.ts';
import { prepareDatabase } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';
import { watchChanges } from './queue-history.ts';
import { runStorm } from './queue-storm-run.ts';

const STORMS = 4;
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

describe('a storm over the queue, with backends killed', () => {
  test('loses nothing, ends each task once, runs nothing that is stopped, and parks only what is', async () => {
    for (const seed of seeds(STORMS)) await runStorm(database, owner, seed);
  }, 300_000);

  test.each([
    {
      bug: 'a discard that ends with its release',
      in: 'ruling',
      from: 'and e.key = k and e.opened_revision > p_stamp',
      to: 'and e.key = k and e.opened_revision > p_stamp and e.closed_revision is null',
      found: /a doomed task/,
    },
    {
      bug: 'a stop in the midst of a run that is forgotten',
      in: 'put_back',
      from: 'coalesce(p_engagement, held.halted_by)',
      to: 'held.halted_by',
      found: /discarded, and nothing doomed it/,
    },
    {
      bug: 'a critical class that passes every stop',
      in: 'stops',
      from: "e.mode = 'halt_noncritical' and p_critical",
      to: 'p_critical',
      found: /a halted task/,
    },
    {
      bug: 'a drain without an end',
      in: 'stops',
      from: 'and p_now < e.drain_until',
      to: '',
      found: /a halted task/,
    },
    {
      bug: 'a retry that asks nobody',
      in: 'put_back',
      from: 'else waits_as(r.doomed, r.halted) end into',
      to: "when p_retry_ms is not null then 'queued' else waits_as(r.doomed, r.halted) end into",
      found: /task is queued/,
    },
    {
      bug: 'a claim that runs what is to be parked',
      in: 'claim',
      from: 'when c.doomed or c.halted then',
      to: 'when c.doomed then',
      found: /a halted task runs/,
    },
    {
      bug: 'a release that brings nothing back',
      in: 'sweep_batch',
      from: "when 'release' then array(select t.id from task t\n      where",
      to: "when 'release' then array(select t.id from task t\n      where false and",
      found: /not settled|left/,
    },
  ])(
    'finds $bug',
    async ({ in: where, from, to, found }) => {
      await plant(owner, where, from, to);
      await expect(async () => {
        for (const seed of seeds(TRIES)) await runStorm(database, owner, seed);
      }).rejects.toThrow(found);
    },
    300_000,
  );
});
