import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  AlertSender,
  Detection,
  DetectionObserver,
  HaltedError,
  Runtime,
  connectWorkerStore,
  readDetectors,
  systemClock,
} from '../src/index.ts';
import { DETECTOR } from './alert-stage.ts';
import type { AlertStage } from './alert-stage.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

const ROUNDS = 20;
/** A runaway tenant writes four times as much as it may. */
export const RUNAWAY = { writesPerSecond: 200, perSecond: 50, windowMs: 1_000 } as const;
const MOST_WRITES = 2_000;

/**
 * An agent in this process, with a gate and the write-rate detector in it, begins to write too much: milliseconds from its
 * first write until the last of the processes enforces the stop of its tenant.
 */
export async function measureFirstBadCall(stage: AlertStage): Promise<Summary> {
  const { url, namespace, privateKey } = stage;
  let begin = 0n;
  const stopped: Promise<number>[] = [];
  let flipId = '';
  const port = new AlertSender({
    ...{ namespace, privateKey, newId: randomUUID, clock: systemClock },
    observedRevision: (): number | null => runtime.registry.head?.revision ?? null,
    publisher: {
      publish: async (bytes, signature, key) => {
        if (stopped.length === 0) {
          flipId = stage.flipIdOf(bytes, signature);
          stopped.push(stage.lastEnforced(flipId, begin));
        }
        await stage.publisher.publish(bytes, signature, key);
        stage.acknowledged.push(stage.flipIdOf(bytes, signature));
      },
    },
  });
  const { windowMs, perSecond } = RUNAWAY;
  const rules = [{ kind: 'write-rate', per: 'tenant', windowMs, perSecond }];
  const config = readDetectors({ detector: DETECTOR, widestScope: 'tenant', rules }, 'the bench');
  const detection = new Detection(config, port, systemClock);
  const store = await connectWorkerStore({ namespace, registryUrl: url, databaseUrl: url });
  const observer = new DetectionObserver(detection);
  const runtime: Runtime = new Runtime(store, { namespace, incarnation: randomUUID(), observer });
  try {
    await runtime.ready(15_000);
    const took: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      stopped.length = 0;
      begin = process.hrtime.bigint();
      await runAway(runtime, `runaway-${randomUUID()}`);
      const [ms] = await Promise.all(stopped);
      if (ms === undefined) throw new Error('a tenant was stopped without an alert');
      took.push(ms);
      await stage.release(flipId);
    }
    return summarise(took);
  } finally {
    await runtime.close();
  }
}

/** Writes at a steady pace until it is refused. */
async function runAway(runtime: Runtime, tenant: string): Promise<void> {
  const run = { run: randomUUID(), agent: 'runaway', tenant, feature: 'bench' };
  const write = { capability: 'write/mail', access: 'write', deadlineMs: 5_000 } as const;
  const fromMs = performance.now();
  try {
    await runtime.gate.enter(run, async () => {
      for (let nth = 0; nth < MOST_WRITES; nth += 1) {
        await runtime.gate.run({ ...write, idempotencyKey: `${run.run}/${nth}` }, () => Promise.resolve());
        const dueMs = fromMs + ((nth + 1) * 1_000) / RUNAWAY.writesPerSecond;
        await pause(Math.max(0, dueMs - performance.now()));
      }
    });
  } catch (error) {
    if (error instanceof HaltedError) return;
    throw error;
  }
  throw new Error(`${MOST_WRITES} writes of a runaway tenant were not stopped`);
}
