import { expect, it } from 'vitest';
import { Conductor } from '../../../harness/conductor/conductor.ts';
import type { ConductorParts } from '../../../harness/conductor/conductor.ts';
import { startDrillClock } from '../../../harness/history/clock.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { scenarioText } from '../scenario/scenario-text.ts';

const TIMELINE = [
  'timeline:',
  '  - { when: exposed, fault: { kind: pause, target: worker-1 } }',
  '  - { flip: { scope: tenant, target: acme, mode: halt_all } }',
].join('\n');

it('begins a fault that waits for exposure once what the stop behind it is to catch is open', async () => {
  const scenario = {
    ...parseScenario(scenarioText({ timeline: TIMELINE }), 'x.yaml', []),
    steadyState: { forMs: 0, effectsPerSecond: { min: 0 } },
    ...{ holdMs: 0, settleMs: 0 },
  };
  const done: string[] = [];
  let looks = 0;
  const call = { run: { parent: undefined }, remainingMs: 60_000 };
  const exposure = () => {
    looks += 1;
    return [{ worker: 'worker-1', open: 1, held: looks < 3 ? [] : [call] }];
  };
  const clock = startDrillClock();
  const parts = {
    ...{ scenario, clock, trace: { runs: [] }, history: { append: () => undefined }, world: { exposure } },
    operator: {
      stop: async () => {
        done.push(`stop after ${looks} looks`);
        return { id: 'stop-1', isTaken: false };
      },
      settled: async () => undefined,
    },
    faults: { inject: async () => void done.push(`fault after ${looks} looks`) },
    probes: { settled: async () => undefined, plant: () => undefined },
    ...{ wayBack: {}, enter: () => undefined, signal: new AbortController().signal },
  } as unknown as ConductorParts;
  await new Conductor(parts).play(clock.nowNs());
  expect(done).toEqual(['fault after 3 looks', 'stop after 4 looks']); // the stop notes what it finds
});
