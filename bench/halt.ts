import { randomUUID } from 'node:crypto';
import { canonicalText } from '../src/flip-text.ts';
import type { FlipStore } from '../src/store/store.ts';
import type { Flip } from '../src/switch.ts';
import { heard, withListeners } from './listeners.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

export interface HaltBench {
  /** Milliseconds from the request to the last process's enforcement. */
  readonly lastOf: Summary;
  /** Milliseconds from the request to its answer. */
  readonly durable: Summary;
  readonly processes: number;
}

const WARM_UP = 20;

/** Halts, one after another, each with its release: how long until the last of several processes has enforced it. */
export function benchHalts(options: {
  readonly store: FlipStore;
  readonly workerUrl: string;
  readonly namespace: string;
  readonly processes: number;
  readonly rounds: number;
}): Promise<HaltBench> {
  const { store, workerUrl, namespace, processes, rounds } = options;
  return withListeners({ url: workerUrl, namespace, processes }, async (listeners) => {
    const lastOf: number[] = [];
    const durable: number[] = [];
    for (let round = -WARM_UP; round < rounds; round += 1) {
      const id = randomUUID();
      const enforced = Promise.all(listeners.map((child) => heard(child, (said) => said.id === id)));
      const begin = process.hrtime.bigint();
      await store.flip(canonicalText(stop(namespace, id)), null);
      const answered = process.hrtime.bigint();
      const times = (await enforced).map(({ at }) => Number(BigInt(at ?? '0') - begin) / 1e6);
      await store.flip(canonicalText(release(namespace, id)), null);
      if (round < 0) continue;
      lastOf.push(Math.max(...times));
      durable.push(Number(answered - begin) / 1e6);
    }
    return { lastOf: summarise(lastOf), durable: summarise(durable), processes };
  });
}

function common(namespace: string, id: string) {
  return {
    namespace,
    id,
    scope: 'run',
    target: 'bench-run',
    reason: 'bench',
    triggeredBy: 'bench',
    source: 'bench',
    at: new Date(0).toISOString(),
  } as const;
}

function stop(namespace: string, id: string): Flip {
  return { ...common(namespace, id), kind: 'stop', mode: 'halt_all', queue: 'discard' };
}

function release(namespace: string, id: string): Flip {
  return { ...common(namespace, `${id}-release`), kind: 'release', engagements: [id] };
}
