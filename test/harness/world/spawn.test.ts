import { describe, expect, it, vi } from 'vitest';
import { switchMatches } from '../../../src/switch.ts';
import { subjectOf } from '../../../harness/traffic/in-scope.ts';
import { LONG_MS, SOON, child, openForTest, post, postRun, primed, run, spawn, step } from './world-client.ts';

/** A parent with a detached and an attached child, the first of which has a child of its own. */
function family(serviceMs = 0) {
  const parent = run('r1', [step('read/crm'), spawn('r1.1', { serviceMs }), spawn('r1.2', { attached: true })]);
  const one = child(parent, 1, [step('write/mail', 5), spawn('r1.1.1')]);
  const two = child(parent, 2, [step('write/mail')]);
  return [parent, one, child(one, 1, [step('write/mail')]), two];
}

describe('a child', () => {
  it('is started by the world, as an effect of its parent, and told what to do', async () => {
    const { world, history } = openForTest(family());
    const { url, id } = await world.openChannel('worker-1');
    expect(await postRun(url, { run: 'r1', key: 'r1/1' }).answer).toEqual({
      status: 201,
      body: {
        ...{ run: 'r1.1', tenant: 'acme', feature: 'inbox', agent: 'agent-1', attached: false, lineage: ['r1'] },
        plan: [
          { kind: 'call', capability: 'write/mail', access: 'write', journal: true, deadlineMs: 1005 },
          { kind: 'spawn', capability: 'agent/spawn', access: 'write', journal: true, deadlineMs: 1000 },
        ],
      },
    });
    expect(history.types()).toEqual(['effect.arrived', 'effect.landed', 'run.spawned']);
    expect(history.of('effect.arrived')).toMatchObject([
      { run: 'r1', capability: 'agent/spawn', key: 'r1/1', step: 1, repeat: false, worker: 'worker-1', channel: id },
    ]);
    expect(history.of('run.spawned')).toMatchObject([
      { run: 'r1.1', parent: 'r1', step: 1, effect: 1, channel: id, worker: 'worker-1' },
    ]);
  });

  it('acts once it was started, and may start its own', async () => {
    const { world, history } = openForTest(family());
    const { url } = await world.openChannel('w');
    expect((await post(url, 'write/mail', { run: 'r1.1', key: 'r1.1/0' }).answer).status).toBe(404);
    expect(world.counts().unattributed).toBe(1);
    await postRun(url, { run: 'r1', key: 'r1/1' }).answer;
    expect((await post(url, 'write/mail', { run: 'r1.1', key: 'r1.1/0' }).answer).status).toBe(200);
    expect((await postRun(url, { run: 'r1.1', key: 'r1.1/1' }).answer).body).toMatchObject({
      run: 'r1.1.1',
      lineage: ['r1', 'r1.1'],
    });
    expect((await postRun(url, { run: 'r1', key: 'r1/2' }).answer).body).toMatchObject({ run: 'r1.2', attached: true });
    expect(history.of('run.spawned').map((event) => [event.parent, event.run])).toEqual([
      ['r1', 'r1.1'],
      ['r1.1', 'r1.1.1'],
      ['r1', 'r1.2'],
    ]);
    expect(world.counts().unattributed).toBe(1);
  });

  it('is the same one under the same key, and lands once, also when both ask at a time', async () => {
    const { world, history } = openForTest(family(20));
    const { url } = await world.openChannel('w');
    const both = await Promise.all([0, 1].map(() => postRun(url, { run: 'r1', key: 'k' }).answer));
    const again = await postRun(url, { run: 'r1', key: 'k' }).answer;
    for (const answer of [...both, again]) expect(answer).toMatchObject({ status: 201, body: { run: 'r1.1' } });
    expect(history.of('effect.arrived').map(({ repeat }) => repeat)).toEqual([false, true, true]);
    expect(history.of('effect.landed')).toHaveLength(1);
    expect(history.of('run.spawned')).toHaveLength(1);
  });

  it('that no step plans is refused, and recorded as an effect without a step', async () => {
    const { world, history } = openForTest(family());
    const { url } = await world.openChannel('w');
    for (const key of ['a', 'b']) await postRun(url, { run: 'r1', key }).answer;
    for (let i = 0; i < 2; i += 1) {
      expect(await postRun(url, { run: 'r1', key: 'c' }).answer).toEqual({
        status: 409,
        body: { error: 'run r1 plans no further child' },
      });
    }
    expect(history.of('effect.arrived').map((event) => [event.step, event.repeat])).toEqual([
      [1, false],
      [2, false],
      [null, false],
      [null, true],
    ]);
    expect(history.of('effect.failed').map(({ effect }) => effect)).toEqual([3, 4]);
    expect(world.counts()).toMatchObject({ inFlight: 0, unattributed: 0 });
  });

  it('is not started when its parent hangs up before, but is in a downstream that goes on', async () => {
    for (const landsAfterAbort of [false, true]) {
      const test = openForTest(family(60), { downstream: { landsAfterAbort } });
      const { world, history } = test;
      const { url } = await world.openChannel('w');
      const call = postRun(url, { run: 'r1', key: 'r1/1' });
      await vi.waitFor(() => expect(world.counts().inFlight).toBe(1), SOON);
      // One request later the body of the one before it has come in, too.
      await postRun(url, { run: 'r1', key: 'r1/2' }).answer;
      call.request.destroy();
      await vi.waitFor(() => expect(history.of('effect.closed')).toHaveLength(1), SOON);
      expect(history.of('run.spawned').map((event) => event.run)).toEqual(['r1.2']);
      if (landsAfterAbort) await vi.waitFor(() => expect(history.of('run.spawned')).toHaveLength(2), SOON);
      await test.close();
      expect(history.of('run.spawned')).toHaveLength(landsAfterAbort ? 2 : 1);
    }
  });

  it('is refused as often as its step says, and started after that', async () => {
    const parent = run('r1', [spawn('r1.0', { refusals: 1, delayMs: 5 })]);
    const { world, history } = openForTest([parent, child(parent, 0, [step('write/mail')])]);
    const { url } = await world.openChannel('w');
    expect((await postRun(url, { run: 'r1', key: 'k' }).answer).status).toBe(503);
    expect(history.of('run.spawned')).toEqual([]);
    expect((await postRun(url, { run: 'r1', key: 'k' }).answer).status).toBe(201);
  });
});

describe('exposure', () => {
  it('finds the calls of a child by its lineage', async () => {
    const parent = { ...run('r1', [spawn('r1.0')]), primed: true as const };
    const held = { ...child(parent, 0, [step('write/mail', LONG_MS)]), primed: true as const };
    const { world } = openForTest([parent, held, primed('r2', LONG_MS)]);
    const { url } = await world.openChannel('w');
    await postRun(url, { run: 'r1', key: 'r1/0' }).answer;
    const calls = ['r1.0', 'r2'].map((of) => post(url, 'write/mail', { run: of, key: `${of}/0` }));
    await vi.waitFor(() => expect(world.counts().inFlight).toBe(2), SOON);
    const on = { scope: 'run', target: 'r1' } as const;
    expect(world.exposure((of, capability) => switchMatches(on, subjectOf(of, capability)))).toMatchObject([
      { worker: 'w', open: 1, held: [{ run: { run: 'r1.0' } }] },
    ]);
    for (const { request } of calls) request.destroy();
  });

  it('counts a held call wherever it comes in its run', async () => {
    const late = { ...run('r1', [step('read/crm'), step('write/mail', LONG_MS)]), primed: true as const };
    const { world } = openForTest([late]);
    const { url } = await world.openChannel('w');
    const short = post(url, 'read/crm', { run: 'r1', key: 'r1/0' });
    await short.answer;
    expect(world.exposure(() => true)).toMatchObject([{ open: 0, held: [] }]);
    const held = post(url, 'write/mail', { run: 'r1', key: 'r1/1' });
    await vi.waitFor(() => expect(world.exposure(() => true)[0]?.held).toHaveLength(1), SOON);
    held.request.destroy();
  });
});

describe('effects in scope', () => {
  it('are counted as they arrive, for each question apart', async () => {
    const { world } = openForTest([run('r1', [step('write/mail'), step('read/crm')]), run('r2', [step('write/mail')])]);
    const { url } = await world.openChannel('w');
    const mails = (_: unknown, capability: string): boolean => capability === 'write/mail';
    const ofR2 = ({ run: of }: { readonly run: string }): boolean => of === 'r2';
    expect([world.effectsInScope(mails), world.effectsInScope(ofR2)]).toEqual([0, 0]);
    await post(url, 'write/mail', { run: 'r1', key: 'a' }).answer;
    await post(url, 'read/crm', { run: 'r1', key: 'b' }).answer;
    expect([world.effectsInScope(mails), world.effectsInScope(ofR2)]).toEqual([1, 0]);
    await post(url, 'write/mail', { run: 'r2', key: 'a' }).answer;
    expect([world.effectsInScope(mails), world.effectsInScope(mails), world.effectsInScope(ofR2)]).toEqual([2, 2, 1]);
    expect(world.effectsInScope(() => true)).toBe(3);
  });
});
