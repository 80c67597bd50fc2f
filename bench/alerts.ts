import type { PostgresServer } from '../harness/environment/environment.ts';
import { AlertStage, msBetween } from './alert-stage.ts';
import type { StageOptions } from './alert-stage.ts';
import { measureFirstBadCall } from './first-bad-call.ts';
import { measurePoison } from './poison.ts';
import type { PoisonBench } from './poison.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';
import { measureStoreReturn } from './store-return.ts';
import type { StoreReturn } from './store-return.ts';

/** Milliseconds, all of them. */
export interface AlertBench {
  /** From the call that publishes to the bus's acknowledgement. */
  readonly acknowledged: Summary;
  /** From the call that publishes to the last process's enforcement. */
  readonly lastOf: Summary;
  readonly poison: PoisonBench;
  /** From the first write of a runaway tenant to the last process's enforcement, detector and alert in between. */
  readonly firstBadCall: Summary;
  readonly storeReturn: StoreReturn;
  /** Acknowledged alerts of all rounds; each has to be one flip. */
  readonly alerts: number;
  readonly wrong: number;
}

export interface AlertBenchOptions extends StageOptions {
  readonly postgres: PostgresServer;
}

const WARM_UP = 20;
/** As many as p99 needs. */
const ROUNDS = 1_000;

/** An alert bus, from alerts to what they stop in several processes. */
export function benchAlerts({ postgres, ...options }: AlertBenchOptions): Promise<AlertBench> {
  return AlertStage.use(options, async (stage) => {
    const published = await measurePublished(stage);
    const poison = await measurePoison(stage);
    const firstBadCall = await measureFirstBadCall(stage);
    const storeReturn = await measureStoreReturn(stage, postgres);
    return { ...published, poison, firstBadCall, storeReturn, ...(await countFlips(stage)) };
  });
}

/** Alerts, one after another, each with the release of its stop. */
async function measurePublished(stage: AlertStage): Promise<Pick<AlertBench, 'acknowledged' | 'lastOf'>> {
  const acknowledged: number[] = [];
  const lastOf: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const alert = stage.alert();
    const begin = process.hrtime.bigint();
    const last = stage.lastEnforced(alert.flipId, begin);
    await stage.publish(alert);
    const tookMs = msBetween(begin, String(process.hrtime.bigint()));
    const lastMs = await last;
    await stage.release(alert.flipId);
    if (round < 0) continue;
    acknowledged.push(tookMs);
    lastOf.push(lastMs);
  }
  return { acknowledged: summarise(acknowledged), lastOf: summarise(lastOf) };
}

async function countFlips(stage: AlertStage): Promise<Pick<AlertBench, 'alerts' | 'wrong'>> {
  const rows = await stage.rows<{ id: string; times: number }>(
    `select id, count(*)::integer as times from killdrill.flip where namespace = $1 group by id`,
  );
  const times = new Map(rows.map((row) => [row.id, row.times]));
  const { acknowledged } = stage;
  return { alerts: acknowledged.length, wrong: acknowledged.filter((id) => times.get(id) !== 1).length };
}
