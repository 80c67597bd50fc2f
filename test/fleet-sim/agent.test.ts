import { afterEach, describe, expect, it } from 'vitest';
import type { NewTask } from '../../src/store/store.ts';
import { FleetRig, WAIT, step, task } from './fleet-rig.ts';
import type { RigOptions } from './fleet-rig.ts';

let rig: FleetRig;
async function fleet(options: RigOptions = {}): Promise<FleetRig> {
  rig = await new FleetRig(options).start();
  return rig;
}
afterEach(() => rig.close());

function child(run: string, plan: unknown, attached: boolean) {
  return { run, tenant: 'acme', feature: 'inbox', agent: 'agent-2', plan, attached };
}

describe('an agent takes each kind of step', () => {
  it('makes calls and streams in turn, each under the key of its place in the plan', async () => {
    const { world } = await fleet();
    await rig.enqueue(task('r', [step('model/chat'), step('model/chat', { kind: 'stream' }), step('write/mail')]));
    await rig.until('r', 'done');
    expect(world.sent).toEqual(['r/0', 'r/1', 'r/2']);
  });

  it('puts a webhook into the outbox before it goes, and goes on', async () => {
    const { world } = await fleet();
    await rig.enqueue(task('r', [step('webhook/notify', { kind: 'webhook' }), step()]));
    await rig.until('r', 'done');
    const { task: outbox } = await rig.until('r/0', 'done');
    expect(outbox).toMatchObject({ kind: 'webhook', run: 'r', capability: 'webhook/notify', due: { kind: 'now' } });
    expect([...world.sent].toSorted()).toEqual(['r/0', 'r/1']);
  });

  it('leaves a timer to the queue, due later, and goes on', async () => {
    const { world } = await fleet();
    await rig.enqueue(task('r', [step('write/crm', { kind: 'timer', delayMs: 60_000 }), step()]));
    await rig.until('r', 'done');
    expect(rig.row('r/0')).toMatchObject({
      state: 'queued',
      task: { kind: 'timer', run: 'r', capability: 'write/crm', due: { kind: 'in', ms: 60_000 } },
    });
    expect(world.sent).toEqual(['r/1']);
  });

  it('fires a timer under the key of its step, once it is due', async () => {
    const { world } = await fleet();
    await rig.enqueue(task('r', [step('write/crm', { kind: 'timer', delayMs: 20 })]));
    await rig.until('r/0', 'done');
    expect(world.sent).toEqual(['r/0']);
    expect(rig.intents()).toMatchObject([{ run: 'r', idempotencyKey: 'r/0', claim: { task: 'r/0' } }]);
  });

  it('makes a detached child a task of its own, bound to its ancestors', async () => {
    const { world } = await fleet();
    world.children.set('r/0', child('c', [step()], false));
    await rig.enqueue(task('r', [step('agent/spawn', { kind: 'spawn' })], { lineage: ['g'] }));
    await rig.until('r', 'done');
    const { task: row } = await rig.until('c', 'done');
    expect(row).toMatchObject({ kind: 'child', run: 'c', agent: 'agent-2', lineage: ['g', 'r'] });
    expect(world.sent).toEqual(['spawn r/0', 'c/0']);
  });

  it('works through an attached child within its parent, under the claim of the parent', async () => {
    const { world } = await fleet();
    world.children.set('r/0', child('c', [step(), step('webhook/x', { kind: 'webhook' })], true));
    await rig.enqueue(task('r', [step('agent/spawn', { kind: 'spawn', attached: true }), step()]));
    await rig.until('r', 'done');
    await rig.until('c/1', 'done');
    expect(world.sent.slice(0, 2)).toEqual(['spawn r/0', 'c/0']);
    expect([...world.sent.slice(2)].toSorted()).toEqual(['c/1', 'r/1']);
    expect(rig.row('c')).toBeUndefined();
    expect(rig.row('c/1')).toMatchObject({ task: { run: 'c', agent: 'agent-2', lineage: ['r'] } });
    const inner = rig.intents().find(({ idempotencyKey }) => idempotencyKey === 'c/0');
    expect(inner).toMatchObject({ run: 'c', agent: 'agent-2', lineage: ['r'], claim: { task: 'r' } });
  });

  it('fails a parent whose attached children never end', async () => {
    const { world } = await fleet();
    for (let depth = 0; depth < 12; depth += 1) {
      const key = depth === 0 ? 'r/0' : `c${depth - 1}/0`;
      world.children.set(key, child(`c${depth}`, [step('agent/spawn', { kind: 'spawn' })], true));
    }
    await rig.enqueue(task('r', [step('agent/spawn', { kind: 'spawn' })]));
    await rig.until('r', 'failed');
    expect(rig.logged.join()).toContain('attached children deep');
  });
});

describe('a step that is refused', () => {
  it('becomes a retry row, which spends the attempt and leaves the agent free', async () => {
    const { world } = await fleet({ agents: 1 });
    world.fare('r/1', 'not-now');
    await rig.enqueue(task('r', [step(), step('write/mail', { delayMs: 60_000 })]), task('other', [step()]));
    await rig.until('other', 'done');
    await expect.poll(() => rig.row('r'), WAIT).toMatchObject({ state: 'queued', retry: true, attempts: 1 });
    expect([...world.sent].toSorted()).toEqual(['other/0', 'r/0', 'r/1']);
  });

  it('is sent again alone: what landed before it is skipped', async () => {
    const { world } = await fleet();
    world.fare('r/1', 'not-now', 'not-now');
    await rig.enqueue(task('r', [step(), step('write/mail', { delayMs: 10 }), step()]));
    await rig.until('r', 'done');
    expect(world.sent).toEqual(['r/0', 'r/1', 'r/1', 'r/1', 'r/2']);
  });

  it('fails its run after five attempts', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'not-now', 'not-now', 'not-now', 'not-now', 'not-now', 'not-now');
    await rig.enqueue(task('r', [step('write/mail', { delayMs: 1 })]));
    await rig.until('r', 'failed');
    expect(world.sent).toHaveLength(5);
  });

  it('fails its run at once where the downstream will never do it', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'fail');
    await rig.enqueue(task('r', [step(), step()]));
    await rig.until('r', 'failed');
    expect(world.sent).toEqual(['r/0']);
  });

  it('inside an attached child sends the parent into a retry, and does nothing twice', async () => {
    const { world } = await fleet();
    world.children.set('r/1', child('c', [step(), step('write/mail', { delayMs: 10 })], true));
    world.fare('c/1', 'not-now');
    await rig.enqueue(task('r', [step(), step('agent/spawn', { kind: 'spawn' }), step()]));
    await rig.until('r', 'done');
    expect(world.sent).toEqual(['r/0', 'spawn r/1', 'c/0', 'c/1', 'spawn r/1', 'c/1', 'r/2']);
  });

  it('of the outbox waits in the outbox', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'not-now');
    await rig.enqueue(task('r', [step('webhook/x', { kind: 'webhook', delayMs: 60_000 })]));
    await expect.poll(() => rig.row('r/0'), WAIT).toMatchObject({ state: 'queued', retry: true });
    expect(rig.row('r')?.state).toBe('done');
    expect(world.sent).toEqual(['r/0']);
  });
});

describe('a call of which nobody knows the end', () => {
  it('makes the run unknown, and is not sent again', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'break');
    await rig.enqueue(task('r', [step(), step()]));
    await rig.until('r', 'unknown');
    expect(world.sent).toEqual(['r/0']);
  });

  it('is tried again where the step is declared idempotent', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'break');
    await rig.enqueue(task('r', [step('write/mail', { idempotent: true, delayMs: 5 })]));
    await rig.until('r', 'done');
    expect(world.sent).toEqual(['r/0', 'r/0']);
  });

  it('is passed over by whoever resumes the run', async () => {
    const { world } = await fleet();
    world.fare('r/1', 'break');
    await rig.enqueue(task('r', [step(), step(), step()]));
    await rig.until('r', 'unknown');
    const asker = { by: 'op', reason: 'looked at it' };
    await rig.operator.resume({ kind: 'runs', runs: ['r'] }, { kind: 'at-once' }, asker);
    await rig.until('r', 'done');
    expect(world.sent).toEqual(['r/0', 'r/1', 'r/2']);
  });
});

describe('a run that is stopped', () => {
  it.each(['discard', 'park'] as const)('in the midst of a call is left as the stop says: %s', async (queue) => {
    const { world } = await fleet();
    world.fare('r/0', 'hold');
    await rig.enqueue(task('r', [step(), step()]));
    await rig.untilHeld('r/0');
    await rig.stop({ scope: 'tenant', target: 'acme', queue });
    const row = await rig.until('r', queue === 'park' ? 'parked' : 'discarded');
    expect(row.attempts).toBe(0);
    expect(world.sent).toEqual(['r/0']);
  });

  it('by its capability alone is reported with the engagement that stopped it', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'hold');
    await rig.enqueue(task('r', [step('write/mail')]));
    await rig.untilHeld('r/0');
    const id = await rig.stop({ scope: 'capability', target: 'write/*', queue: 'park' });
    expect((await rig.until('r', 'parked')).haltedBy).toBe(id);
    await rig.release(id);
    await rig.until('r', 'done');
    expect(world.sent).toEqual(['r/0']); // it may have landed, so that it is passed over
  });

  it('while a call ignores its signal leaves an unknown task, and holds no agent', async () => {
    const { world } = await fleet({ agents: 1 });
    world.fare('r/0', 'hold-deaf');
    await rig.enqueue(task('r', [step()], { tenant: 'acme' }));
    await rig.untilHeld('r/0');
    await rig.stop({ scope: 'tenant', target: 'acme', queue: 'park' });
    await rig.until('r', 'unknown');
    await rig.enqueue(task('other', [step()], { tenant: 'globex' }));
    await rig.until('other', 'done');
    world.land('r/0');
  });

  it('starts neither child, webhook nor timer any more', async () => {
    const { world } = await fleet();
    world.fare('r/0', 'hold');
    world.children.set('r/1', child('c', [step()], false));
    const later = [step('agent/spawn', { kind: 'spawn' }), step('webhook/x', { kind: 'webhook' })];
    await rig.enqueue(task('r', [step(), ...later, step('write/crm', { kind: 'timer', delayMs: 1 })]));
    await rig.untilHeld('r/0');
    await rig.stop({ scope: 'run', target: 'r' });
    await rig.until('r', 'discarded');
    expect([...rig.state.tasks.keys()]).toEqual(['r']);
    expect(world.sent).toEqual(['r/0']);
  });

  it('by its ancestor is stopped with it, attached or not', async () => {
    const { world } = await fleet();
    world.children.set('a/0', child('ac', [step()], true));
    world.children.set('d/0', child('dc', [step()], false));
    world.fare('ac/0', 'hold');
    world.fare('dc/0', 'hold');
    const spawn = [step('agent/spawn', { kind: 'spawn' })];
    await rig.enqueue(task('a', spawn), task('d', spawn));
    await rig.untilHeld('ac/0', 'dc/0');
    await rig.stop({ scope: 'run', target: 'a' });
    await rig.stop({ scope: 'run', target: 'd' });
    await rig.until('a', 'discarded');
    await rig.until('dc', 'discarded');
    expect(rig.row('d')?.state).toBe('done');
  });
});

describe('a task that repeats', () => {
  const everyMinute: Partial<NewTask> = { repeat: 'every 60000' };

  it('is queued for its next occurrence when this one is done', async () => {
    const { world } = await fleet();
    await rig.enqueue(task('r', [step()], everyMinute));
    await expect.poll(() => rig.row('r')?.dueMs ?? 0, WAIT).toBeGreaterThan(Date.now() + 30_000);
    expect(rig.row('r')).toMatchObject({ state: 'queued', attempts: 0, retry: false });
    expect(world.sent).toHaveLength(1);
    expect(world.sent[0]).toMatch(/^r\/0@\d{4}-/);
  });

  it('sends every occurrence under keys of its own, and a retry under those of its occurrence', async () => {
    const { world } = await fleet();
    let refused = false;
    const sendEffect = world.sendEffect.bind(world);
    world.sendEffect = (effect) => {
      if (!refused && effect.idempotencyKey.startsWith('r/1')) {
        refused = true;
        world.fare(effect.idempotencyKey, 'not-now');
      }
      return sendEffect(effect);
    };
    await rig.enqueue(task('r', [step(), step('write/mail', { delayMs: 20 })], { repeat: 'every 1000' }));
    await expect.poll(() => world.sent.length, WAIT).toBe(5);
    const [first, second, again, next, last] = world.sent;
    expect(again).toBe(second);
    expect(next).not.toBe(first);
    expect(last).not.toBe(second);
  });

  it('does nothing for an occurrence that was passed over', async () => {
    const { world } = await fleet();
    await rig.enqueue(task('r', [step()], { ...everyMinute, due: { kind: 'in', ms: 300 } }));
    rig.row('r')!.skipped = true;
    await expect.poll(() => rig.row('r'), WAIT).toMatchObject({ state: 'queued', skipped: false });
    expect(world.sent).toEqual([]);
  });
});
