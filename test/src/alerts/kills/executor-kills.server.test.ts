import { beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { plant } from '../../store/postgres/plant.ts';
import { compileExecutor } from './compiled-executor.ts';
import type { CompiledExecutor } from './compiled-executor.ts';
import { expectExposure, killExecutors } from './kill-executors.ts';
import type { KillReport } from './storm.ts';

let compiled: CompiledExecutor;

beforeAll(async () => {
  compiled = await compileExecutor();
  return () => compiled.remove();
}, 120_000);

const TOPIC = 'killdrill.alerts';

/** Over the bus in PostgreSQL. */
function kill(
  { kills, calmKills = 0 }: { readonly kills: number; readonly calmKills?: number },
  prepare?: (owner: pg.Client) => Promise<void>,
): Promise<KillReport> {
  return killExecutors({
    ...{ kills, calmKills, main: compiled.main, ...(prepare === undefined ? {} : { prepare }) },
    bus: { kind: 'postgres', topic: TOPIC },
    letters: async (owner, namespace) => {
      const sql = `select partition || '/' || position as place from killdrill.alert_dead_letter where namespace = $1`;
      return (await owner.query<{ place: string }>(sql, [namespace])).rows.map(({ place }) => place);
    },
  });
}

describe('executors that are killed at random under a stream of alerts', () => {
  it('lose no acknowledged alert and make no stop twice', async () => {
    const { wrong, exposure } = await kill({ kills: 50, calmKills: 8 });
    expect(wrong).toEqual([]);
    expectExposure(exposure, 50);
  }, 240_000);

  it('are found out if the position may jump over what is not on record', async () => {
    const jump = (owner: pg.Client) =>
      plant(owner, 'keep_alert', 'and p.position = r.position;', 'and p.position <= r.position;');
    const { wrong } = await kill({ kills: 12 }, jump);
    expect(wrong.join('\n')).toMatch(/is on record as nothing/);
  }, 120_000);
});
