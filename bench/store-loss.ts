import type { PostgresServer } from '../harness/environment/environment.ts';
import { heard, withListeners } from './listeners.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

export interface StoreLossBench {
  /** Milliseconds from the kill to the last process's first refusal. */
  readonly lastRefused: Summary;
  /** Milliseconds from the server's return to the last process's being verified again. */
  readonly lastBack: Summary;
  readonly processes: number;
}

/** Kills PostgreSQL, again and again: how long until the last of several processes refuses everything. */
export function benchStoreLoss(options: {
  readonly postgres: PostgresServer;
  readonly workerUrl: string;
  readonly namespace: string;
  readonly processes: number;
  readonly rounds: number;
}): Promise<StoreLossBench> {
  const { postgres, workerUrl, namespace, processes, rounds } = options;
  return withListeners({ url: workerUrl, namespace, processes }, async (listeners) => {
    const lastRefused: number[] = [];
    const lastBack: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      lastRefused.push(await lastSince(listeners, false, () => postgres.kill()));
      lastBack.push(await lastSince(listeners, true, () => postgres.start()));
    }
    return { lastRefused: summarise(lastRefused), lastBack: summarise(lastBack), processes };
  });
}

/** From the moment before a kill; from the moment after a start. */
async function lastSince(
  listeners: Parameters<Parameters<typeof withListeners>[1]>[0],
  verified: boolean,
  act: () => Promise<void>,
): Promise<number> {
  const all = Promise.all(listeners.map((child) => heard(child, (said) => said.verified === verified)));
  const before = process.hrtime.bigint();
  await act();
  const from = verified ? process.hrtime.bigint() : before;
  return Math.max(...(await all).map(({ at }) => Number(BigInt(at ?? '0') - from) / 1e6));
}
