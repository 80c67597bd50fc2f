import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startDrillClock } from '../../harness/history/clock.ts';
import { TRACE_VERSION } from '../../harness/traffic/trace.ts';
import type { TraceRun } from '../../harness/traffic/trace.ts';
import { startLoopWatch } from '../../harness/world/loop-watch.ts';
import { startWorld } from '../../harness/world/world.ts';
import { systemClock } from '../../src/clock.ts';
import { EffectivenessWatch } from '../../src/control/effectiveness-watch.ts';
import type { StoreHandles } from '../src/store/contract/world.ts';
import { prepareDatabase } from '../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../src/store/postgres/prepared-database.ts';
import { SOMEBODY, stopText } from '../src/store/samples.ts';
import { Recorded } from '../harness/world/world-client.ts';
import { WorkerProcess } from './worker-process.ts';

const ROUNDS = 100;
const WORKERS = 3;
const EVERY_MS = 150;
const SERVED_MS = [400, 900, 1_600] as const;
const WAIT = { timeout: 60_000, interval: 2 };
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

let database: PreparedDatabase;
let store: StoreHandles;
let namespace: string;

beforeAll(async () => {
  database = await prepareDatabase();
  namespace = `effective-${randomUUID()}`;
  await database.addNamespace(namespace);
  store = database.open(namespace);
});
afterAll(async () => {
  await store.close();
  await database.close();
});

/** One run for each round, of a tenant of its own: a model call that ignores its signal, in every third round beyond its deadline too. */
function runOf(round: number): TraceRun {
  const serviceMs = SERVED_MS[round % SERVED_MS.length] ?? 400;
  const call = { capability: 'model/chat', access: 'write', journal: true, serviceMs } as const;
  const plan = [{ ...call, deadlineMs: round % 3 === 2 ? 700 : 10_000 }];
  return { dueMs: round * EVERY_MS, run: `r-${round}`, tenant: `t-${round}`, feature: 'f', agent: `a-${round}`, plan };
}

/** A real fleet over the harness's own world. */
async function startFleet() {
  const clock = startDrillClock();
  const history = new Recorded(clock);
  const loop = startLoopWatch({ clock, history });
  const runs = Array.from({ length: ROUNDS }, (_, round) => runOf(round));
  const trace = { header: { version: TRACE_VERSION, seed: 0, generator: {} }, runs } as const;
  const world = startWorld({ trace, clock, history, loop, downstream: { landsAfterAbort: false } });
  const workers = await Promise.all(
    Array.from({ length: WORKERS }, async (_, nth) => {
      const name = `worker-${nth + 1}`;
      const environment = { KILLDRILL_WORKER: name, KILLDRILL_LEASE_MS: '5000', KILLDRILL_AGENTS: '16' };
      const { url } = await world.openChannel(name);
      return new WorkerProcess(database, namespace, url, { ...environment, KILLDRILL_SIM_DEAF: 'model/chat' });
    }),
  );
  const close = async (): Promise<void> => {
    for (const worker of workers) worker.signal('SIGKILL');
    await Promise.all(workers.map((worker) => worker.ended()));
    loop.close();
    await world.close();
  };
  return { clock, history, world, workers, close };
}

/** Whether the witness sees the run's call open at this moment; null before it arrived. */
function isOpen(history: Recorded, run: string): boolean | null {
  const arrived = history.of('effect.arrived').find((event) => event.run === run);
  if (arrived === undefined) return null;
  const ends = [...history.of('effect.landed'), ...history.of('effect.failed'), ...history.of('effect.closed')];
  return !ends.some(({ effect }) => effect === arrived.effect);
}

describe('a stop of calls that ignore their signal', () => {
  it(`is never called effective while the witness sees one open: ${ROUNDS} rounds on real processes`, async () => {
    const { clock, history, world, workers, close } = await startFleet();
    const watch = new EffectivenessWatch({ store: store.effectiveness, clock: systemClock, pollMs: 25 });
    const seen = { exposed: 0, effective: 0, early: [] as string[], pending: [] as string[] };
    const round = async (nth: number): Promise<void> => {
      const run = `r-${nth}`;
      await expect.poll(() => isOpen(history, run), WAIT).not.toBeNull();
      const id = `stop-${nth}`;
      await store.control.flip(stopText(namespace, { id, scope: 'tenant', target: `t-${nth}` }), null);
      watch.sawDurable(id);
      if (isOpen(history, run) === true) seen.exposed += 1;
      let said = 'nothing';
      for await (const { state } of watch.watch(id, { withinMs: 60_000 })) {
        said = state;
        if (state === 'effective' && isOpen(history, run) === true) seen.early.push(run);
      }
      if (said === 'effective') seen.effective += 1;
      else seen.pending.push(run);
    };
    try {
      await store.effectiveness.declareInventory({ pools: { default: WORKERS }, closed: true }, SOMEBODY);
      await Promise.all(workers.map((worker) => worker.saying('ready')));
      world.startArrivals(clock.nowNs());
      await Promise.all(Array.from({ length: ROUNDS }, (_, nth) => round(nth)));
    } finally {
      await close();
    }
    expect({ early: seen.early, pending: seen.pending }).toEqual({ early: [], pending: [] });
    expect(seen.effective).toBe(ROUNDS);
    expect(seen.exposed).toBeGreaterThan(ROUNDS / 2);
    console.log(`effective-stops: ${seen.exposed} of ${ROUNDS} stops met an open call`);
  });
});
