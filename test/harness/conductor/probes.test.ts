import { expect, test } from 'vitest';
import { Probes } from '../../../harness/conductor/probes.ts';
import type { PlantedTask } from '../../../harness/conductor/probes.ts';
import { startDrillClock } from '../../../harness/history/clock.ts';
import { TRACE_VERSION } from '../../../harness/traffic/trace.ts';
import { Recorded, run, step } from '../world/world-client.ts';

const runs = [1, 2].map((n) => ({ ...run(`probe-1-${n}`, [step('write/mail')]), probe: true as const }));
const trace = { header: { version: TRACE_VERSION, seed: 1, generator: {} }, runs } as const;

function rig(plant: (task: PlantedTask) => Promise<void>) {
  const clock = startDrillClock();
  const history = new Recorded(clock);
  const abort = new AbortController();
  return { abort, history, probes: new Probes({ trace, clock, history, plant, signal: abort.signal }) };
}

test('a probe that the store does not take at once is planted once it does', async () => {
  const tried: string[] = [];
  const { history, probes } = rig(({ run: { run: name }, admittedRevision }) => {
    tried.push(`${name} at ${admittedRevision}`);
    return tried.length < 3 ? Promise.reject(new Error('away')) : Promise.resolve();
  });
  probes.plant(1, 8);
  expect(history.events).toEqual([]);
  await probes.settled();
  expect(tried).toEqual(['probe-1-1 at 7', 'probe-1-1 at 7', 'probe-1-1 at 7', 'probe-1-2 at 7']);
  expect(history.of('probe.planted').map(({ task }) => task)).toEqual(['probe-1-1', 'probe-1-2']);
});

test('a stop without probes plants nothing', async () => {
  const { history, probes } = rig(() => Promise.reject(new Error('nobody asked')));
  probes.plant(2, 8);
  await probes.settled();
  expect(history.events).toEqual([]);
});

test('an interrupted drill plants nothing more, and says nothing', async () => {
  const { abort, history, probes } = rig(() => Promise.reject(new Error('away')));
  probes.plant(1, 1);
  abort.abort(new Error('interrupted'));
  await probes.settled();
  expect(history.events).toEqual([]);
});
