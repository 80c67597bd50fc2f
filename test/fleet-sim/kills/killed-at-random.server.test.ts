import { randomInt } from 'node:crypto';
import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { QUEUE_WITNESS } from '../../../harness/journal/queue-witness.ts';
import { plant } from '../../src/store/postgres/plant.ts';
import { prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { compileFleet } from './compiled-fleet.ts';
import type { CompiledFleet } from './compiled-fleet.ts';
import { runKills } from './run-kills.ts';
import type { KillReport } from './run-kills.ts';

const GIVEN_SEED = process.env['KILLDRILL_KILL_SEED'];
const [ROUNDS, KILLS_PER_ROUND] = [5, 40];

let fleet: CompiledFleet;
let database: PreparedDatabase;
let owner: pg.Client;

beforeAll(async () => {
  fleet = await compileFleet();
  return () => fleet.remove();
}, 120_000);
beforeEach(async () => {
  database = await prepareDatabase();
  owner = await database.connect(database.ownerUrl);
  await owner.query(`set search_path = killdrill, pg_temp; ${QUEUE_WITNESS}; reset search_path`);
  return () => database.close();
});

/** The choices of a seed come again; how they fall in with the processes does not. */
async function kill(rounds: number, killsPerRound: number): Promise<KillReport> {
  const seed = GIVEN_SEED ?? String(randomInt(2 ** 31));
  const recipe = `kills of seed ${seed} (KILLDRILL_KILL_SEED=${seed} draws the same again)`;
  process.stdout.write(`${recipe}\n`);
  const stage = { database, owner, command: fleet.command };
  try {
    return await runKills(stage, { seed, rounds, killsPerRound });
  } catch (error) {
    throw new Error(`${recipe}: ${String(error)}`, { cause: error });
  }
}

/** How often tasks went from one state to another, and what else shows that the kills hit something. */
function exposure({ record, did, kills }: KillReport): Readonly<Record<string, number>> {
  const seen: Record<string, number> = {
    kills,
    tasks: record.tasks.length,
    resumed: record.resumed,
    ...Object.fromEntries(did),
  };
  for (const { from, to } of record.changes) {
    const step = from === 'running' && to === 'running' ? 'claimed anew' : to;
    seen[step] = (seen[step] ?? 0) + 1;
  }
  return seen;
}

describe('workers that are killed at random among halts, parks and resumes', () => {
  it('leave nothing running, lose nothing, do nothing twice, and each run ends once', async () => {
    const report = await kill(ROUNDS, KILLS_PER_ROUND);
    const seen = exposure(report);
    process.stdout.write(`${JSON.stringify(seen)}\n`);
    expect(report.wrong).toEqual([]);
    expect(report.kills).toBe(ROUNDS * KILLS_PER_ROUND);
    // Kills that hit nobody at work prove nothing.
    for (const step of ['unknown', 'claimed anew', 'parked', 'discarded', 'resumed', 'done'])
      expect([step, (seen[step] ?? 0) >= 20]).toEqual([step, true]);
  }, 150_000);

  it.each([
    {
      weakness: 'forgets what earlier claims did',
      from: 'else effects_json(t.claim_tokens) end',
      to: `else '[]'::jsonb end`,
      found: /was sent 2 times/,
    },
    {
      weakness: 'queues a task again whose effect nobody has closed',
      from: 'when c.claim_token is not null and has_open_intent(c.claim_token) then',
      to: 'when false then',
      found: /was left open, and task/,
    },
  ])(
    'are found out by a queue that $weakness',
    async ({ from, to, found }) => {
      await plant(owner, 'claim', from, to);
      const { wrong } = await kill(1, 15);
      expect(wrong.join('\n')).toMatch(found);
    },
    90_000,
  );
});
