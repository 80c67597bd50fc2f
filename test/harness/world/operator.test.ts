import { describe, expect, it } from 'vitest';
import { OPERATOR } from '../../../harness/history/operator.ts';
import { child, get, openForTest, post, postRun, run, spawn, step } from './world-client.ts';
import type { TestWorld } from './world-client.ts';

function open(): TestWorld {
  const parent = run('r1', [step('write/mail', 60_000), spawn('r1.1')]);
  return openForTest([parent, child(parent, 1, [step('write/mail')])]);
}

describe('the operator’s channel', () => {
  it('takes effects of any known run, in any capability, and they stand for no planned step', async () => {
    const { world, history } = open();
    const { url } = await world.openChannel(OPERATOR);
    for (const capability of ['write/mail', 'write/undo']) {
      expect((await post(url, capability, { run: 'r1', key: 'c1' }).answer).status).toBe(200);
    }
    expect((await post(url, 'write/mail', { run: 'r1', key: 'c1' }).answer).status).toBe(200);
    expect(history.of('effect.arrived').map((event) => [event.worker, event.step, event.repeat])).toEqual([
      [OPERATOR, null, false],
      [OPERATOR, null, false],
      [OPERATOR, null, true],
    ]);
    expect(history.of('effect.landed')).toHaveLength(2);
  });

  it('leaves the steps and the keys of the run to its worker', async () => {
    const { world, history } = open();
    const mine = await world.openChannel(OPERATOR);
    const worker = await world.openChannel('worker-1');
    await post(mine.url, 'write/mail', { run: 'r1', key: 'r1/0' }).answer;
    const call = post(worker.url, 'write/mail', { run: 'r1', key: 'r1/0' });
    await get(`${worker.url}/nothing`).answer;
    expect(history.of('effect.arrived').map((event) => [event.worker, event.step, event.repeat])).toEqual([
      [OPERATOR, null, false],
      ['worker-1', 0, false],
    ]);
    call.request.destroy();
  });

  it('is no worker: it is not exposed, its effects do not count, and no child is unknown to the world for it', async () => {
    const { world } = open();
    const { url } = await world.openChannel(OPERATOR);
    await world.openChannel('worker-1');
    await post(url, 'write/mail', { run: 'r1', key: 'c1' }).answer;
    expect(world.exposure(() => true).map(({ worker }) => worker)).toEqual(['worker-1']);
    expect(world.effectsInScope(() => true)).toBe(0);
    expect((await post(url, 'write/mail', { run: 'r1.1', key: 'c2' }).answer).status).toBe(404);
    expect(world.counts().unattributed).toBe(1);
  });

  it('is handed no work and starts no run: either is recorded', async () => {
    const { world, clock, history } = open();
    const { url } = await world.openChannel(OPERATOR);
    world.startArrivals(clock.nowNs());
    expect((await get(`${url}/work`).answer).status).toBe(403);
    expect((await postRun(url, { run: 'r1', key: 'k' }).answer).status).toBe(403);
    expect(history.of('effect.unattributed')).toHaveLength(2);
    expect(world.counts()).toMatchObject({ waiting: 1, unattributed: 2 });
  });
});
