import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROPERTY_NAMES } from '../../harness/checkers/registry.ts';
import type { Judgement } from '../../harness/checkers/verdict-file.ts';
import { NOTHING_PLANTED } from '../../harness/drill/prepare-store.ts';
import { runDrill } from '../../harness/drill/run-drill.ts';
import { withEnvironment } from '../../harness/drill/with-environment.ts';
import { startProxy } from '../../harness/environment/proxy.ts';
import { parseScenario } from '../../harness/scenario/parse.ts';
import { planDrill } from '../../harness/traffic/plan-drill.ts';
import { shortDrill } from './short-drill.ts';
import { project, Workshop } from './workshop.ts';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

const FAULTS = [
  '{ at: +1s, fault: { kind: half-open, target: worker-1, plane: registry, for: 1s } }',
  '{ at: +200ms, fault: { kind: latency, target: worker-2, plane: work, delay: 100ms, for: 1s } }',
];

/** The same drill, with proxies of one make or another. */
async function drill(start: typeof startProxy): Promise<Judgement> {
  const text = shortDrill({ name: 'without-proxies', faults: FAULTS, hold: '9s' });
  const { signal } = new AbortController();
  return withEnvironment('embedded', signal, async ({ environment, folder, watch }) => {
    const { judgement } = await runDrill({
      plan: planDrill(parseScenario(text, 'without-proxies.yaml', PROPERTY_NAMES)),
      environment,
      folder,
      reportsFolder: join(workshop.folder, 'reports'),
      command: [process.execPath, join(project, 'dist/fleet-sim/main.js')],
      planted: NOTHING_PLANTED,
      onSpawned: watch,
      startProxy: start,
      onProgress: () => undefined,
      signal,
    });
    return judgement;
  });
}

/** Lets everything through, and does nothing that it is told. */
const startIdleProxy: typeof startProxy = async (options) => {
  const real = await startProxy(options);
  return {
    port: real.port,
    get connections() {
      return real.connections;
    },
    apply: () => ({ receipt: { connections: 0, refused: 0, bytes: 0 }, undo: () => undefined }),
    close: () => real.close(),
  };
};

describe('a drill with faults on planes', () => {
  it('is inconclusive, and names the receipt, when its proxies do nothing', async () => {
    const { verdict, exitCode, worst } = await drill(startIdleProxy);
    expect({ verdict, exitCode, reason: worst?.reason }).toEqual({
      verdict: 'inconclusive',
      exitCode: 2,
      reason: "not shown: all receipts of the half-open of worker-1: 'fault.observed' is missing",
    });
    expect(worst?.evidence).toMatchObject({ kind: 'half-open', target: 'worker-1', missing: ['fault.observed'] });
  });

  it('passes when they do what they are told', async () => {
    const { verdict, worst } = await drill(startProxy);
    expect({ verdict, worst: worst?.reason }).toEqual({ verdict: 'pass', worst: undefined });
  });
});
