import { afterEach, describe, expect, it } from 'vitest';
import { FleetRig, WAIT, step, task } from './fleet-rig.ts';
import type { RigOptions } from './fleet-rig.ts';

let rig: FleetRig;
async function fleet(options: RigOptions = {}): Promise<FleetRig> {
  rig = await new FleetRig(options).start();
  return rig;
}
afterEach(() => rig.close());

function item(run: string, plan: unknown, more: { readonly startAfterMs?: number } = {}) {
  return { run, tenant: 'acme', feature: null, agent: 'agent-1', plan, ...more };
}

describe('a worker', () => {
  it('queues what the world hands it, and works it off', async () => {
    const { world } = await fleet();
    world.hand(item('r1', [step()]));
    world.hand(item('r2', [step()]));
    await rig.until('r1', 'done');
    await rig.until('r2', 'done');
  });

  it('queues a scheduled run for its time', async () => {
    const { world } = await fleet();
    world.hand(item('r', [step()], { startAfterMs: 60_000 }));
    const row = await rig.until('r', 'queued');
    expect(row.task.due).toEqual({ kind: 'in', ms: 60_000 });
    expect(world.sent).toEqual([]);
  });

  it.each([
    ['no plan at all', undefined],
    ['a plan of a later version', { version: 9, steps: [step()] }],
    ['a step without an end', [step('write/mail', { deadlineMs: -1 })]],
    ['a capability that is no path', [step('write mail')]],
    ['a deadline beyond the gate’s', [step('write/mail', { deadlineMs: 1e12 })]],
  ])('fails a run with %s, says why, and lives', async (_what, plan) => {
    const { world } = await fleet();
    await rig.enqueue(task('bad', plan), task('good', [step()]));
    await rig.until('bad', 'failed');
    await rig.until('good', 'done');
    expect(rig.logged.join('\n')).toContain('bad');
    expect(world.sent).toEqual(['good/0']);
  });

  it('works on no more tasks than it has agents', async () => {
    const { world } = await fleet({ agents: 2 });
    for (const id of ['a', 'b', 'c']) world.fare(`${id}/0`, 'hold');
    await rig.enqueue(task('a', [step()]), task('b', [step()]), task('c', [step()]));
    await rig.untilHeld('a/0', 'b/0');
    expect(rig.row('c')?.state).toBe('queued');
    world.land('a/0');
    await rig.untilHeld('b/0', 'c/0');
    world.land('b/0');
    world.land('c/0');
    await rig.until('c', 'done');
  });

  it('stores the outcomes of a run before it ends the run', async () => {
    const order: string[] = [];
    const note = (operation: string): void => {
      if (operation === 'record' || operation === 'finish') order.push(operation);
    };
    await fleet({ hooks: { after: note } });
    await rig.enqueue(task('r', [step(), step()]));
    await rig.until('r', 'done');
    expect(order.at(-1)).toBe('finish');
    expect(rig.state.outcomes.size).toBe(2);
  });

  it('takes no task while nobody can be asked whether it may act', async () => {
    let away = false;
    const operations = new Set(['load', 'flipsAfter', 'admitIntents', 'enqueue']);
    const before = (operation: string): void => {
      if (away && operations.has(operation)) throw new Error('the store is away');
    };
    await fleet({ leaseMs: 200, hooks: { before } });
    away = true;
    await expect.poll(() => rig.runtime.decider.verified(), WAIT).toBe(false);
    await rig.enqueue(task('r', [step()]));
    await new Promise((resolve) => setTimeout(resolve, 500)); // more than two polls
    expect(rig.row('r')).toMatchObject({ state: 'queued', attempts: 0 });
    away = false;
    await rig.until('r', 'done');
  });

  it('waits with a run that it has until it can ask again, and sends each effect once', async () => {
    let away = false;
    const operations = new Set(['load', 'flipsAfter', 'admitIntents', 'enqueue']);
    const before = (operation: string): void => {
      if (away && operations.has(operation)) throw new Error('the store is away');
    };
    const { world } = await fleet({ leaseMs: 200, hooks: { before } });
    world.fare('r/0', 'hold');
    await rig.enqueue(task('r', [step(), step()]));
    await rig.untilHeld('r/0');
    away = true;
    await expect.poll(() => rig.runtime.decider.verified(), WAIT).toBe(false);
    await expect.poll(() => world.held.length, WAIT).toBe(0); // aborted after the grace
    expect(rig.row('r')).toMatchObject({ state: 'running', attempts: 1 });
    away = false;
    await rig.until('r', 'done');
    expect(world.sent).toEqual(['r/0', 'r/1']);
  });

  it('leaves a task alone whose claim is another’s by now', async () => {
    const { world } = await fleet({ claimMs: 300 });
    world.fare('r/0', 'hold');
    await rig.enqueue(task('r', [step(), step()]));
    await rig.untilHeld('r/0');
    const row = rig.row('r')!;
    row.claim = { token: 'somebody-else', deadlineMs: Date.now() + 60_000, revision: 0 };
    await expect.poll(() => world.held.length, WAIT).toBe(0);
    await expect.poll(() => rig.runtime.claims.tasks(), WAIT).toEqual([]);
    expect(row).toMatchObject({ state: 'running', claim: { token: 'somebody-else' } });
    expect(world.sent).toEqual(['r/0']);
  });

  it('keeps a claim for as long as its call takes', async () => {
    const { world } = await fleet({ claimMs: 150 });
    world.fare('r/0', 'hold');
    await rig.enqueue(task('r', [step()]));
    await rig.untilHeld('r/0');
    await new Promise((resolve) => setTimeout(resolve, 500)); // more than three claims
    world.land('r/0');
    await rig.until('r', 'done');
    expect(rig.row('r')?.attempts).toBe(1);
  });
});

describe('a worker that is asked to end', () => {
  it('finishes the effect under way, and gives back what is left of its run', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'hold');
    await rig.enqueue(task('r', [step(), step()]));
    await rig.untilHeld('r/0');
    const stopped = rig.worker.stop(5_000);
    world.land('r/0');
    await stopped;
    expect(rig.row('r')).toMatchObject({ state: 'queued', attempts: 0 });
    expect(world.sent).toEqual(['r/0']);
    expect([...rig.state.outcomes.values()].map(({ outcome }) => outcome.kind)).toEqual(['landed']);
  });

  it('finishes a run whose last effect is under way', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'hold');
    await rig.enqueue(task('r', [step()]));
    await rig.untilHeld('r/0');
    const stopped = rig.worker.stop(5_000);
    world.land('r/0');
    await stopped;
    expect(rig.row('r')?.state).toBe('done');
  });

  it('cuts off what is still out after its time, and writes it down as unknown', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'hold');
    await rig.enqueue(task('r', [step(), step()]));
    await rig.untilHeld('r/0');
    await rig.worker.stop(50);
    expect(rig.row('r')?.state).toBe('unknown');
    expect([...rig.state.outcomes.values()].map(({ outcome }) => outcome.kind)).toEqual(['unknown']);
  });

  it('claims and queues nothing more', async () => {
    const { world } = await fleet();
    await rig.worker.stop(1_000);
    world.hand(item('late', [step()]));
    await rig.enqueue(task('r', [step()]));
    await new Promise((resolve) => setTimeout(resolve, 300)); // more than a poll
    expect(rig.row('r')).toMatchObject({ state: 'queued', attempts: 0 });
    expect(rig.row('late')).toBeUndefined();
  });

  it('ends in its time although the store is away', async () => {
    let away = false;
    const before = (): void => {
      if (away) throw new Error('the store is away');
    };
    const { world } = await fleet({ hooks: { before } });
    world.fare('r/0', 'hold');
    await rig.enqueue(task('r', [step()]));
    await rig.untilHeld('r/0');
    away = true;
    world.land('r/0');
    await rig.worker.stop(100);
    expect(rig.row('r')?.state).toBe('running');
  });
});
