import { randomInt, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type pg from 'pg';
import { prepareDatabase } from '../../store/postgres/prepared-database.ts';
import type { BusOrder } from '../bus-order.ts';
import { KillStorm } from './storm.ts';
import type { KillReport } from './storm.ts';

const GIVEN_SEED = process.env['KILLDRILL_KILL_SEED'];

export interface KillPlan {
  readonly kills: number;
  /** Without a storm, of each kind: alone, and with another beside. Default none. */
  readonly calmKills?: number;
  readonly bus: BusOrder;
  /** What node is to run as an executor. */
  readonly main: string;
  /** Places of the dead letters that the bus keeps, `partition/position` each. */
  readonly letters: (owner: pg.Client, namespace: string) => Promise<readonly string[]>;
  readonly prepare?: (owner: pg.Client) => Promise<void>;
}

/** The choices of a seed come again; how they fall in with the processes does not. */
export async function killExecutors({
  kills,
  calmKills = 0,
  bus,
  main,
  letters,
  prepare,
}: KillPlan): Promise<KillReport> {
  const seed = GIVEN_SEED ?? String(randomInt(2 ** 31));
  const recipe = `kills over ${bus.kind} of seed ${seed} (KILLDRILL_KILL_SEED=${seed} draws the same again)`;
  process.stdout.write(`${recipe}\n`);
  const database = await prepareDatabase();
  try {
    const owner = await database.connect(database.ownerUrl);
    await prepare?.(owner);
    const namespace = `kills-${randomUUID()}`;
    await database.addNamespace(namespace);
    const storm = await KillStorm.open({
      ...{ database, namespace, bus, main, seed },
      letters: () => letters(owner, namespace),
    });
    try {
      const report = await storm.rage(kills, calmKills);
      process.stdout.write(`${JSON.stringify(report.exposure)}\n`);
      return report;
    } finally {
      await storm.close();
    }
  } catch (error) {
    throw new Error(`${recipe}: ${String(error)}`, { cause: error });
  } finally {
    await database.close();
  }
}

/** Kills of processes that had nothing in hand would prove nothing. */
export function expectExposure(exposure: KillReport['exposure'], kills: number): void {
  expect(exposure.kills).toBe(kills);
  expect(exposure.withWorkInHand).toBeGreaterThanOrEqual(kills * 0.4);
  expect(exposure.whileRecording).toBeGreaterThanOrEqual(kills * 0.4);
  expect(exposure.beforeReading).toBeGreaterThanOrEqual(kills * 0.04);
  expect(Math.min(exposure.flips, exposure.poison, exposure.duplicates)).toBeGreaterThanOrEqual(kills * 0.2);
}
