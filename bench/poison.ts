import type { AlertStage } from './alert-stage.ts';
import { median, summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

/** A paused executor goes on: milliseconds until the last process has enforced the one stop that waits on the bus. */
export interface PoisonBench {
  readonly alone: Summary;
  readonly behind: Summary;
  /** So many alerts that nobody can read are before it. */
  readonly count: number;
  /** What they add, median over pairs. */
  readonly addsMs: number;
}

const POISON = 1_000;
const PAIRS = 10;

/** In pairs, one after another: what 1,000 alerts that nobody can read, all on the bus before it, cost a stop. */
export async function measurePoison(stage: AlertStage): Promise<PoisonBench> {
  const alone: number[] = [];
  const behind: number[] = [];
  for (let pair = -1; pair < PAIRS; pair += 1) {
    const [without, withPoison] = [await stopBehind(stage, 0), await stopBehind(stage, POISON)];
    if (pair < 0) continue;
    alone.push(without);
    behind.push(withPoison);
  }
  const adds = behind.map((ms, at) => ms - (alone[at] ?? 0));
  return { alone: summarise(alone), behind: summarise(behind), count: POISON, addsMs: median(adds) };
}

/** The executor is paused while they are published, so that it finds all of them at once. */
async function stopBehind(stage: AlertStage, count: number): Promise<number> {
  const alert = stage.alert();
  stage.executor.kill('SIGSTOP');
  try {
    await stage.publishPoison(count);
    await stage.publish(alert);
  } finally {
    stage.executor.kill('SIGCONT');
  }
  const ms = await stage.lastEnforced(alert.flipId, process.hrtime.bigint());
  await stage.release(alert.flipId);
  await stage.settled();
  return ms;
}
