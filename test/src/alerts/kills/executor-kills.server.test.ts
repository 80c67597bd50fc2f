import { randomInt, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { plant } from '../../store/postgres/plant.ts';
import { prepareDatabase } from '../../store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../store/postgres/prepared-database.ts';
import { compileExecutor } from './compiled-executor.ts';
import type { CompiledExecutor } from './compiled-executor.ts';
import { KillStorm } from './storm.ts';
import type { KillReport } from './storm.ts';

const GIVEN_SEED = process.env['KILLDRILL_KILL_SEED'];
let compiled: CompiledExecutor;

beforeAll(async () => {
  compiled = await compileExecutor();
  return () => compiled.remove();
}, 120_000);

/** The choices of a seed come again; how they fall in with the processes does not. */
async function kill(kills: number, prepare?: (owner: pg.Client) => Promise<void>): Promise<KillReport> {
  const seed = GIVEN_SEED ?? String(randomInt(2 ** 31));
  const recipe = `kills of seed ${seed} (KILLDRILL_KILL_SEED=${seed} draws the same again)`;
  process.stdout.write(`${recipe}\n`);
  const database: PreparedDatabase = await prepareDatabase();
  try {
    await prepare?.(await database.connect(database.ownerUrl));
    const namespace = `kills-${randomUUID()}`;
    await database.addNamespace(namespace);
    const storm = await KillStorm.open({ database, namespace, main: compiled.main, seed });
    try {
      return await storm.rage(kills);
    } finally {
      await storm.close();
    }
  } catch (error) {
    throw new Error(`${recipe}: ${String(error)}`, { cause: error });
  } finally {
    await database.close();
  }
}

describe('executors that are killed at random under a stream of alerts', () => {
  it('lose no acknowledged alert and make no stop twice', async () => {
    const { wrong, exposure } = await kill(50);
    process.stdout.write(`${JSON.stringify(exposure)}\n`);
    expect(wrong).toEqual([]);
    expect(exposure.kills).toBe(50);
    // Kills of processes that had nothing in hand would prove nothing.
    expect(exposure.withWorkInHand).toBeGreaterThanOrEqual(20);
    expect(exposure.whileRecording).toBeGreaterThanOrEqual(20);
    expect(exposure.beforeReading).toBeGreaterThanOrEqual(2);
    expect(Math.min(exposure.flips, exposure.poison, exposure.duplicates)).toBeGreaterThanOrEqual(10);
  }, 240_000);

  it('are found out if the position may jump over what is not on record', async () => {
    const jump = (owner: pg.Client) =>
      plant(owner, 'keep_alert', 'and p.position = r.position;', 'and p.position <= r.position;');
    const { wrong } = await kill(12, jump);
    expect(wrong.join('\n')).toMatch(/is on record as nothing/);
  }, 120_000);
});
