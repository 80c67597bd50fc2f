import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { canonicalText } from '../src/flip-text.ts';
import type { FlipStore } from '../src/store/store.ts';
import type { Flip } from '../src/switch.ts';
import { summarise } from './statistics.ts';
import type { Summary } from './statistics.ts';

export interface HaltBench {
  /** Milliseconds from the request to the last process's enforcement. */
  readonly lastOf: Summary;
  /** Milliseconds from the request to its answer. */
  readonly durable: Summary;
  readonly processes: number;
}

interface Said {
  readonly ready?: true;
  readonly id?: string;
  readonly at?: string;
}

const ROUND_MS = 10_000;

/** Halts, one after another, each with its release: how long until the last of several processes has enforced it. */
export async function benchHalts(options: {
  readonly store: FlipStore;
  readonly workerUrl: string;
  readonly namespace: string;
  readonly processes: number;
  readonly rounds: number;
}): Promise<HaltBench> {
  const { store, workerUrl, namespace, processes, rounds } = options;
  const listeners = Array.from({ length: processes }, (_, at) => listen(workerUrl, namespace, `listener-${at}`));
  try {
    await Promise.all(listeners.map((child) => heard(child, ({ ready }) => ready === true)));
    const lastOf: number[] = [];
    const durable: number[] = [];
    for (let round = -20; round < rounds; round += 1) {
      const id = randomUUID();
      const enforced = Promise.all(listeners.map((child) => heard(child, (said) => said.id === id)));
      const begin = process.hrtime.bigint();
      await store.flip(canonicalText(stop(namespace, id)), null);
      const answered = process.hrtime.bigint();
      const times = (await enforced).map(({ at }) => Number(BigInt(at ?? '0') - begin) / 1e6);
      await store.flip(canonicalText(release(namespace, id)), null);
      if (round < 0) continue; // warm-up
      lastOf.push(Math.max(...times));
      durable.push(Number(answered - begin) / 1e6);
    }
    return { lastOf: summarise(lastOf), durable: summarise(durable), processes };
  } finally {
    await Promise.all(listeners.map(end));
  }
}

function listen(url: string, namespace: string, name: string): ChildProcess {
  return fork(fileURLToPath(new URL('./halt-listener.ts', import.meta.url)), [url, namespace, name], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--import', 'tsx'],
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function heard(child: ChildProcess, wanted: (said: Said) => boolean): Promise<Said> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      child.off('message', on);
    };
    const on = (said: unknown): void => {
      if (!wanted(said as Said)) return;
      done();
      resolve(said as Said);
    };
    const timer = setTimeout(() => {
      done();
      reject(new Error(`a listener did not hear of a stop within ${ROUND_MS} ms`));
    }, ROUND_MS);
    child.on('message', on);
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
