import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TraceRun } from '../../../harness/traffic/trace.ts';
import { sampleIntent, sampleTask } from '../../src/store/samples.ts';
import { child, post, run, spawn, step } from '../world/world-client.ts';
import { openRig } from './rig.ts';
import type { Rig, Stage } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const STOP = '{ flip: { scope: tenant, target: acme, mode: halt_all } }';
const RELEASE = '{ release: { scope: tenant, target: acme } }';
const RED = '{ release: { scope: tenant, target: acme, expect: refused } }';
const CONTRACT = 'contract: { model: m, prompt: p1 }';
const MENDED = '{ contract: { model: m, prompt: p2 } }';

const probe = (flip: number, n: number, tenant = 'acme'): TraceRun => ({
  ...run(`probe-${flip}-${n}`, [step('write/mail', 5)]),
  tenant,
  probe: true,
});

/** Lets an effect of each of these runs land, by the journal's word, one after another. */
async function landed(stage: Stage, ...runs: readonly string[]): Promise<void> {
  const { flips, fence, outcomes } = stage.handles;
  for (const [seq, name] of runs.entries()) {
    const { head } = await flips.load();
    const intent = sampleIntent(seq + 1, { run: name, idempotencyKey: `${name}/0` });
    expect(await fence.admitIntents(stage.namespace, head, [intent])).toMatchObject({ kind: 'admitted' });
    await outcomes.record(stage.namespace, [{ seq: seq + 1, kind: 'landed', detail: null }]);
  }
}

describe('a release that is red', () => {
  test('is refused on record, and the one after the contract was mended closes the same engagement', async () => {
    const stage = await rig.stage([]);
    await stage.store.operator.declareContract(
      { model: 'm', prompt: 'p1', tools: {} },
      { by: 'drill', reason: 'start' },
    );
    await stage.play(CONTRACT, STOP, RED, MENDED, RELEASE);
    const [stop, red, green] = stage.of('flip.answered');
    expect([stop, red, green]).toMatchObject([
      { flip: 1, kind: 'stop', ok: true, revision: 1, queue: 'discard', engagements: [], expected: 'taken' },
      { flip: 2, kind: 'release', ok: false, revision: null, queue: null, expected: 'refused' },
      { flip: 3, kind: 'release', ok: true, revision: 2, expected: 'taken' },
    ]);
    expect(red?.error).toMatch(/red/);
    expect(red?.engagements).toEqual([stop?.id]);
    expect(green?.engagements).toEqual([stop?.id]);
    expect(stage.of('operator.answered')).toMatchObject([
      { action: 1, kind: 'contract', contract: { model: 'm', prompt: 'p2', tools: {} }, ok: true, error: null },
    ]);
    expect(stage.of('conductor.gaveUp')).toEqual([]);
  });
});

describe('stops that overlap', () => {
  test('on one switch are closed by one release, those of another switch are not', async () => {
    const stage = await rig.stage([]);
    const other = '{ at: +5ms, flip: { scope: global, mode: halt_all, queue: drain, drainFor: 2s } }';
    await stage.play(null, STOP, other, STOP, RELEASE);
    const [one, , three, release] = stage.of('flip.answered');
    expect(release).toMatchObject({ ok: true, revision: 4, engagements: [one?.id, three?.id] });
    const open = await stage.handles.control.openEngagements();
    expect(open.map(({ flip }) => flip)).toMatchObject([{ scope: 'global', queue: 'drain', drainMs: 2000 }]);
  });
});

describe('probes', () => {
  test('stand in the queue behind each stop, as if let in before it, and the witness sees them come', async () => {
    const stage = await rig.stage([probe(1, 1), probe(1, 2), probe(3, 1, 'beta')]);
    const classes = [{ name: 'money', scope: 'run', target: 'probe-1-2' }] as const;
    await stage.store.operator.setCritical({ capabilities: [], classes }, { by: 'drill', reason: 'start' });
    const other = '{ flip: { scope: tenant, target: beta, mode: halt_all, queue: park } }';
    await stage.play(null, STOP, RELEASE, other);
    expect(stage.of('probe.planted')).toMatchObject([
      { flip: 1, run: 'probe-1-1', task: 'probe-1-1' },
      { flip: 1, run: 'probe-1-2', task: 'probe-1-2' },
      { flip: 3, run: 'probe-3-1', task: 'probe-3-1' },
    ]);
    const seen = await stage.store.owner.use('look', (ask) =>
      ask(
        `select c.task, c."to", c.stamp::int, t.run, t.tenant, t.plan, t.critical from killdrill.drill_task_change c
         join killdrill.task t on t.id = c.task and t.namespace = c.namespace where c.namespace = $1 order by c.seq`,
        [stage.namespace],
      ),
    );
    const plan = [{ kind: 'call', capability: 'write/mail', access: 'write', journal: true, deadlineMs: 1005 }];
    expect(seen).toEqual([
      { task: 'probe-1-1', to: 'queued', stamp: 0, run: 'probe-1-1', tenant: 'acme', plan, critical: false },
      { task: 'probe-1-2', to: 'queued', stamp: 0, run: 'probe-1-2', tenant: 'acme', plan, critical: true },
      { task: 'probe-3-1', to: 'queued', stamp: 2, run: 'probe-3-1', tenant: 'beta', plan, critical: false },
    ]);
    // None of them may be had; the first two are doomed, although their stop is released.
    expect(await stage.handles.tasks.claim('somebody', 10, 1_000)).toEqual([]);
    const counts = await stage.handles.tasks.counts();
    expect(counts.map(({ state, count }) => [state, count])).toEqual(
      expect.arrayContaining([
        ['discarded', 2],
        ['parked', 1],
      ]),
    );
  });
});

describe('compensations', () => {
  const runs = [
    run('run-1', [step('write/mail')]),
    run('run-2', [step('write/mail')]),
    { ...run('run-3', [step('write/mail')]), tenant: 'beta' },
  ];
  const entry = '{ compensate: { scope: tenant, target: acme, capability: undo/mail, twice: true } }';

  test('are sent once for what landed in scope, the newest first, while it is stopped; asked again, nothing is sent', async () => {
    const stage = await rig.stage(runs);
    await landed(stage, 'run-1', 'run-3', 'run-2', 'nobody-knows');
    await stage.play(null, STOP, entry);
    const done = stage
      .of('operator.answered')
      .map(({ answer, ...facts }) => ({ ...facts, ...answer, id: answer['id'] }));
    expect(done).toMatchObject([
      { action: 1, kind: 'compensate', intent: 3, ok: true, isNew: true, sent: true, outcome: 'landed' },
      { action: 2, kind: 'compensate', intent: 1, ok: true, isNew: true, sent: true, outcome: 'landed' },
      { action: 3, intent: 3, ok: true, isNew: false, sent: false, outcome: 'landed', id: done[0]?.id },
      { action: 4, intent: 1, ok: true, isNew: false, sent: false, outcome: 'landed', id: done[1]?.id },
    ]);
    expect(stage.of('effect.landed')).toHaveLength(2);
    expect(stage.of('effect.arrived')).toMatchObject([
      { worker: 'operator', run: 'run-2', capability: 'undo/mail', key: done[0]?.id, step: null },
      { worker: 'operator', run: 'run-1', capability: 'undo/mail', key: done[1]?.id, step: null },
    ]);
  });

  test('of nothing are given up, on record', async () => {
    const stage = await rig.stage(runs);
    await landed(stage, 'run-3');
    await stage.play(null, STOP, entry);
    expect(stage.of('operator.asked')).toEqual([]);
    expect(stage.of('conductor.gaveUp')).toMatchObject([{ what: expect.stringContaining('tenant:acme') as string }]);
  });

  test('that the world refuses are recorded as failed, and the drill goes on', async () => {
    const parent = run('run-9', [spawn('run-9.1')]);
    // Nobody has started the child, so that the world knows no such run.
    const stage = await rig.stage([parent, child(parent, 0, [step('write/mail')])]);
    await landed(stage, 'run-9.1');
    await stage.play(null, STOP, '{ compensate: { scope: run, target: run-9, capability: undo/mail } }', RELEASE);
    expect(stage.of('operator.answered')).toMatchObject([{ ok: true, answer: { sent: true, outcome: 'failed' } }]);
    expect(stage.of('flip.answered')).toHaveLength(2);
  });
});

describe('a resume', () => {
  test('of a run that was never stopped is refused on record, and the drill goes on', async () => {
    const stage = await rig.stage([]);
    await stage.play(null, STOP, '{ resume: { runs: [never-was] } }', RELEASE);
    const [answered] = stage.of('operator.answered');
    expect(answered).toMatchObject({ action: 1, kind: 'resume', ok: false, answer: {} });
    expect(answered?.error).toMatch(/never-was/);
    expect(stage.of('flip.answered')).toMatchObject([{ ok: true }, { ok: true }]);
  });

  test('brings back what was discarded, at its rate', async () => {
    const stage = await rig.stage([]);
    const { handles } = stage;
    const { head } = await handles.flips.load();
    const tasks = ['a', 'b', 'c'].map((id) => sampleTask(id));
    expect(await handles.fence.enqueue(head, tasks)).toMatchObject({ kind: 'admitted' });
    await stage.play(null, STOP, RELEASE);
    expect(await handles.tasks.claim('somebody', 10, 1_000)).toEqual([]);
    // The engagement is closed by now; what it has doomed stays so until somebody resumes it.
    await stage.play(null, STOP, RELEASE, '{ resume: { tenant: acme, rate: 10/s } }');
    expect(stage.of('operator.answered')).toMatchObject([
      {
        kind: 'resume',
        which: { kind: 'tenant' },
        staging: { kind: 'rate' },
        ok: true,
        answer: { tasks: 3, parked: 0 },
      },
    ]);
  });
});

describe('an entry after an effect', () => {
  const runs = [run('run-1', [step('write/mail')]), { ...run('run-2', [step('write/mail')]), tenant: 'beta' }];

  test('happens once so many effects in scope have arrived', async () => {
    const stage = await rig.stage(runs);
    const { url } = await stage.test.world.openChannel('worker-1');
    const played = stage.play(null, '{ after: effect 2 of tenant:acme, flip: { scope: global, mode: halt_all } }');
    for (const [index, name] of ['run-1', 'run-2', 'run-2', 'run-2'].entries()) {
      await post(url, 'write/mail', { run: name, key: `k${index}` }).answer;
    }
    expect(stage.of('flip.requested')).toEqual([]);
    await post(url, 'write/mail', { run: 'run-1', key: 'k9' }).answer;
    await played;
    expect(stage.of('flip.answered')).toMatchObject([{ ok: true }]);
    expect(stage.of('conductor.gaveUp')).toEqual([]);
  });

  test('is not waited for any longer when the drill is interrupted', async () => {
    const stage = await rig.stage(runs);
    const played = stage.play(null, '{ after: effect 2 of global, flip: { scope: global, mode: halt_all } }');
    stage.abort.abort(new Error('interrupted'));
    await expect(played).rejects.toThrow('interrupted');
    expect(stage.of('flip.requested')).toEqual([]);
  });
});

test('the operator is no worker: its channel has no exposure', async () => {
  const stage = await rig.stage([]);
  await stage.test.world.openChannel('worker-1');
  await stage.play(null, STOP);
  expect(stage.of('exposure').map(({ worker }) => worker)).toEqual(['worker-1']);
});
