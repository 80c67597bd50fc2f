import { afterEach, describe, expect, it } from 'vitest';
import { WorldClient } from '../../fleet-sim/world-client.ts';
import { startDrillClock } from '../../harness/history/clock.ts';
import { TRACE_VERSION } from '../../harness/traffic/trace.ts';
import type { PlanStep, Trace, TraceRun } from '../../harness/traffic/trace.ts';
import { startLoopWatch } from '../../harness/world/loop-watch.ts';
import { startWorld } from '../../harness/world/world.ts';
import { Recorded } from '../harness/world/world-client.ts';
import { FleetRig, WAIT } from './fleet-rig.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function step(capability: string, more: Partial<PlanStep> = {}): PlanStep {
  return { capability, access: 'write', journal: true, serviceMs: 20, deadlineMs: 5_000, ...more };
}

function run(name: string, plan: readonly PlanStep[], more: Partial<TraceRun> = {}): TraceRun {
  return { dueMs: 0, run: name, tenant: 'acme', feature: 'inbox', agent: 'agent-1', plan, ...more };
}

/** A worker of the simulated fleet that works on this trace for the harness's own world. */
async function drill(runs: readonly TraceRun[]) {
  const clock = startDrillClock();
  const history = new Recorded(clock);
  const loop = startLoopWatch({ clock, history });
  const trace: Trace = { header: { version: TRACE_VERSION, seed: 1, generator: {} }, runs };
  const world = startWorld({ trace, clock, history, loop, downstream: { landsAfterAbort: false } });
  const { url } = await world.openChannel('worker-1');
  const rig = await new FleetRig({ worldClient: new WorldClient(url) }).start();
  closing.push(
    async () => loop.close(),
    () => world.close(),
    () => rig.close(),
  );
  world.startArrivals(clock.nowNs());
  const landed = (): readonly string[] => {
    const effects = new Set(history.of('effect.landed').map(({ effect }) => effect));
    return history
      .of('effect.arrived')
      .filter(({ effect }) => effects.has(effect))
      .map(({ key }) => key);
  };
  return { rig, history, landed };
}

describe('the simulated fleet with the world of the harness', () => {
  it('does every kind of step of a trace once, refusals, children and all', async () => {
    const parent = run('r', [
      step('model/chat', { refusals: 1, delayMs: 30 }),
      step('model/chat', { kind: 'stream', serviceMs: 200 }),
      step('webhook/notify', { kind: 'webhook', refusals: 2, delayMs: 20 }),
      step('write/crm', { kind: 'timer', delayMs: 50 }),
      step('agent/spawn', { kind: 'spawn', child: 'a', attached: true }),
      step('agent/spawn', { kind: 'spawn', child: 'd' }),
      step('write/mail', { refusals: 1, delayMs: 20 }),
    ]);
    const attached = run('a', [step('read/crm'), step('write/mail', { refusals: 1, delayMs: 20 })], {
      parent: { run: 'r', step: 4 },
      lineage: ['r'],
      agent: 'agent-2',
    });
    const detached = run('d', [step('write/mail')], {
      parent: { run: 'r', step: 5 },
      lineage: ['r'],
      agent: 'agent-3',
    });
    const { rig, history, landed } = await drill([parent, attached, detached]);
    for (const id of ['r', 'r/2', 'r/3', 'd']) await rig.until(id, 'done');
    const planned = [...parent.plan.map((_, at) => `r/${at}`), 'a/0', 'a/1', 'd/0'];
    expect([...landed()].toSorted()).toEqual(planned.toSorted());
    expect(history.of('run.spawned').map(({ run: child, parent: of }) => [child, of])).toEqual([
      ['a', 'r'],
      ['d', 'r'],
    ]);
    expect(history.of('effect.failed')).toHaveLength(5);
    expect(history.of('effect.unattributed')).toEqual([]);
    expect(history.of('effect.arrived').filter(({ step: place }) => place === null)).toEqual([]);
  });

  it('queues a run that is handed out for later, and works on it then', async () => {
    const { rig, landed } = await drill([run('r', [step('write/mail')], { startAfterMs: 80 })]);
    await rig.until('r', 'queued');
    await rig.until('r', 'done');
    expect(landed()).toEqual(['r/0']);
  });

  it('closes a stream in its midst when its run is stopped', async () => {
    const { rig, history } = await drill([run('r', [step('model/chat', { kind: 'stream', serviceMs: 4_000 })])]);
    await expect.poll(() => history.of('effect.arrived').length, WAIT).toBe(1);
    await rig.stop({ scope: 'run', target: 'r' });
    await rig.until('r', 'discarded');
    await expect.poll(() => history.of('effect.closed').map(({ by }) => by), WAIT).toEqual(['worker']);
  });
});
