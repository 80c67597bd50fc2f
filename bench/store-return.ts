import type { PostgresServer } from '../harness/environment/environment.ts';
import type { AlertStage, ReadyAlert } from './alert-stage.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

/** PostgreSQL is killed with kill -9 while alerts come, and started again; milliseconds. */
export interface StoreReturn {
  /** From the publishing, while it is away, to enforcement in the executor's process; null where the bus is away with it. */
  readonly held: Summary | null;
  /** From its return until the stop is durable that was asked for last: while it was away, or at once after its return. */
  readonly durable: Summary;
}

const ROUNDS = 10;
const BEFORE = 20;
const PUBLISH_MS = 10_000;

export async function measureStoreReturn(stage: AlertStage, postgres: PostgresServer): Promise<StoreReturn> {
  const held: number[] = [];
  const durable: number[] = [];
  const isBusThere = stage.wire.kind === 'Kafka';
  for (let round = 0; round < ROUNDS; round += 1) {
    const last = stage.alert();
    const durableAt = stage.executorSays('answered', last.flipId, 0n);
    // acknowledged, and some of them not recorded yet when it dies
    const before = Array.from({ length: BEFORE }, () => stage.alert());
    await Promise.all(before.map((alert) => stage.publish(alert)));
    await postgres.kill();
    if (isBusThere) {
      const begin = process.hrtime.bigint();
      const heldAt = stage.executorSays('held', last.flipId, begin);
      await stage.publish(last);
      held.push(await heldAt);
    }
    await postgres.start();
    const backMs = Number(process.hrtime.bigint()) / 1e6;
    if (!isBusThere) await publishUntilTaken(stage, last);
    durable.push(Math.max(0, (await durableAt) - backMs));
    await stage.settled();
    for (const { flipId } of [...before, last]) await stage.release(flipId);
  }
  return { held: isBusThere ? summarise(held) : null, durable: summarise(durable) };
}

/** What a detector does: it raises again what is still red. */
async function publishUntilTaken(stage: AlertStage, alert: ReadyAlert): Promise<void> {
  for (const giveUpMs = performance.now() + PUBLISH_MS; ;) {
    try {
      return await stage.publish(alert);
    } catch (error) {
      if (performance.now() > giveUpMs) throw error;
    }
  }
}
