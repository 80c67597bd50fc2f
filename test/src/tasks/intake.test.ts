import { describe, expect, it } from 'vitest';
import { RegistryDecider } from '../../../src/decider.ts';
import { KilldrillError } from '../../../src/errors.ts';
import type { ClaimToken, FenceAnswer, Head, NewTask } from '../../../src/store/store.ts';
import { TaskIntake } from '../../../src/tasks/intake.ts';
import { Fate } from '../fate.ts';
import { stopFlip } from '../chain-store.ts';
import { GateRig, LOOKUP } from '../gate-rig.ts';
import { settled } from '../manual-clock.ts';
import { TASK } from '../scripted-queue.ts';

const LOST = new KilldrillError('CLAIM_LOST', 'it is another’s');

function rig(): {
  readonly rig: GateRig;
  readonly intake: TaskIntake;
  readonly sent: string[];
  /** How many went in each batch. */
  readonly batches: number[];
  readonly say: (answer: FenceAnswer | Error) => void;
} {
  const gated = new GateRig();
  const { registry, lease, store } = gated;
  const sent: string[] = [];
  const batches: number[] = [];
  let next: FenceAnswer | Error | null = null;
  const enqueue = (head: Head, tasks: readonly NewTask[]): Promise<FenceAnswer> => {
    sent.push(...tasks.map(({ id }) => id));
    batches.push(tasks.length);
    const answer = next ?? store.fence(head);
    next = null;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const fence = { enqueue, admitIntents: () => Promise.reject(new Error('no intents here')) };
  const context = { registry, lease, diverged: () => undefined };
  const decider = new RegistryDecider(registry, lease);
  const lostClaim = ({ task }: ClaimToken) => (task === 'lost' ? LOST : null);
  const intake = new TaskIntake({ fence, decider, context, lostClaim });
  return { rig: gated, intake, sent, batches, say: (answer) => (next = answer) };
}

async function fateOf(promise: Promise<void>): Promise<Fate> {
  const fate = new Fate(promise);
  await settled();
  return fate;
}

describe('a task on its way into the queue', () => {
  it('is queued through the fence', async () => {
    const { intake, sent } = rig();
    expect((await fateOf(intake.enqueue(TASK))).now).toBe('resolved undefined');
    expect(sent).toEqual(['t1']);
  });

  it('goes nowhere behind a stop that covers it, by an ancestor too', async () => {
    const { rig: gated, intake, sent } = rig();
    gated.stop({ scope: 'run', target: 'root' });
    expect((await fateOf(intake.enqueue(TASK))).error).toMatchObject({ kind: 'operator', target: 'root' });
    expect((await fateOf(intake.enqueue({ ...TASK, id: 't2', lineage: [] }))).now).toBe('resolved undefined');
    expect(sent).toEqual(['t2']);
  });

  it('is decided again with the flips that a stale answer brought', async () => {
    const { rig: gated, intake, sent } = rig();
    const fate = new Fate(intake.enqueue(TASK));
    gated.store.commit(stopFlip('between', { scope: 'tenant', target: 'acme' }));
    await settled();
    expect(fate.error).toMatchObject({ kind: 'operator', scope: 'tenant' });
    expect(sent).toEqual(['t1']);
  });

  it('is refused as unverified without an answer, and may be offered again under its id', async () => {
    const { intake, sent, say } = rig();
    say(new Error('connection reset'));
    expect((await fateOf(intake.enqueue(TASK))).error).toMatchObject({ kind: 'unverified' });
    expect((await fateOf(intake.enqueue(TASK))).now).toBe('resolved undefined');
    expect(sent).toEqual(['t1', 't1']);
  });

  it('is not latched: refused once, it may be queued after the release', async () => {
    const { rig: gated, intake } = rig();
    const id = gated.stop();
    expect((await fateOf(intake.enqueue(TASK))).error).toMatchObject({ kind: 'operator' });
    gated.release(id);
    expect((await fateOf(intake.enqueue(TASK))).now).toBe('resolved undefined');
  });

  it.each(['discard', 'park'] as const)(
    'is let in under halt_noncritical alone (%s): the store parks it',
    async (queue) => {
      const { rig: gated, intake, sent } = rig();
      gated.stop({ mode: 'halt_noncritical', queue });
      expect((await fateOf(intake.enqueue(TASK))).now).toBe('resolved undefined');
      gated.stop({ scope: 'agent', target: 'a1' });
      expect((await fateOf(intake.enqueue({ ...TASK, id: 't2' }))).error).toMatchObject({ mode: 'halt_all' });
      expect(sent).toEqual(['t1']);
    },
  );

  it('goes nowhere during a drain: what was let in passes, and nothing new', async () => {
    const { rig: gated, intake, sent } = rig();
    gated.stop({ queue: 'drain', drainMs: 60_000 });
    expect((await fateOf(intake.enqueue(TASK))).error).toMatchObject({ kind: 'operator', mode: 'halt_all' });
    expect(sent).toEqual([]);
  });

  it('is covered by a capability stop when it does one thing', async () => {
    const { rig: gated, intake, sent } = rig();
    gated.stop({ scope: 'capability', target: 'webhook/*' });
    const webhook = { ...TASK, kind: 'webhook', capability: 'webhook/notify' } as const;
    expect((await fateOf(intake.enqueue(webhook))).error).toMatchObject({ scope: 'capability' });
    expect((await fateOf(intake.enqueue(TASK))).now).toBe('resolved undefined');
    expect(sent).toEqual(['t1']);
  });

  it('within a run is refused once that run is latched, and its own refusal latches the run', async () => {
    const { rig: gated, intake, sent } = rig();
    const who = { run: 'parent', agent: 'a1', tenant: 'acme' };
    const id = gated.stop({ scope: 'tenant', target: 'acme' });
    const refusals = await gated.gate.enter(who, async () => {
      const first = await fateOf(intake.enqueue(TASK));
      gated.release(id);
      const second = await fateOf(intake.enqueue({ ...TASK, id: 't2', tenant: 'elsewhere' }));
      const effect = await fateOf(gated.gate.run(LOOKUP, () => Promise.resolve()));
      return [first.error, second.error, effect.error];
    });
    expect(refusals[0]).toMatchObject({ kind: 'operator', target: 'acme' });
    expect(new Set(refusals).size).toBe(1);
    expect((await fateOf(intake.enqueue(TASK))).now).toBe('resolved undefined');
    expect(sent).toEqual(['t1']);
  });

  it('within a run whose claim is another’s goes nowhere', async () => {
    const { rig: gated, intake, sent } = rig();
    const who = { run: 'r1', agent: 'a1', claim: { task: 'lost', token: 'x' } };
    const fate = await gated.gate.enter(who, () => fateOf(intake.enqueue(TASK)));
    expect([fate.error, sent]).toEqual([LOST, []]);
  });

  it.each<Partial<NewTask>>([
    { kind: 'timer', due: { kind: 'in', ms: 0 } },
    { kind: 'timer', due: { kind: 'at', at: '2030-01-31T12:00:00+02:00' }, pastDue: 'shift' },
    { kind: 'timer', repeat: 'every 60000', pastDue: 'skip' },
    { kind: 'timer', repeat: '*/5 * * * *' },
    { kind: 'webhook', capability: 'webhook/notify' },
    { kind: 'child', lineage: ['root', 'middle'] },
  ])('may be %j', async (what) => {
    const { intake } = rig();
    expect((await fateOf(intake.enqueue({ ...TASK, ...what }))).now).toBe('resolved undefined');
  });

  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  it.each<[string, Partial<NewTask>]>([
    ['an empty id', { id: '' }],
    ['a NUL in the tenant', { tenant: 'a\0' }],
    ['a NUL deep in the plan', { plan: { steps: [{ say: 'a\0b' }] } }],
    ['half a surrogate pair in the plan', { plan: ['\uD800'] }],
    ['a plan that is not there', { plan: undefined }],
    ['a plan that holds itself', { plan: circular }],
    ['a plan with a bigint', { plan: 1n }],
    ['a plan that is too long', { plan: 'x'.repeat(262_145) }],
    ['a plan that is too deep', { plan: JSON.parse(`${'['.repeat(201)}${']'.repeat(201)}`) }],
    ['an unknown kind', { kind: 'job' as 'run' }],
    ['an unknown way with its past', { pastDue: 'forget' as 'fire' }],
    ['a pattern for a capability', { capability: 'write/*' }],
    ['an empty capability', { capability: '' }],
    ['no due', { due: undefined as never }],
    ['an unknown due', { due: { kind: 'soon' } as never }],
    ['a due of no number', { due: { kind: 'in', ms: Number.NaN } }],
    ['a due in the past', { due: { kind: 'in', ms: -1 } }],
    ['a due beyond reason', { due: { kind: 'in', ms: 1e300 } }],
    ['a due at no instant', { due: { kind: 'at', at: 'tomorrow' } }],
    ['a due without a zone', { due: { kind: 'at', at: '2030-01-31T12:00:00' } }],
    ['a due in the year 0', { due: { kind: 'at', at: '0001-01-01T00:00:00+14:00' } }],
    ['a due on no day', { due: { kind: 'at', at: '2030-02-31T99:00:00Z' } }],
    ['a repeat that is no schedule', { repeat: 'now and then' }],
    ['a repeat that never comes', { repeat: '0 0 30 2 *' }],
    ['a repeat without rest', { repeat: 'every 0' }],
    ['a repeat of another type', { repeat: 5 as never }],
    ['a lineage that is no list', { lineage: 'root' as never }],
    ['a lineage without end', { lineage: Array.from({ length: 257 }, (_, at) => `r${at}`) }],
    ['a name beyond an index', { id: '漢'.repeat(400) }],
  ])('is refused with %s, and takes no other down with it', async (_what, wrong) => {
    const { intake, sent } = rig();
    const bad = new Fate(intake.enqueue({ ...TASK, ...wrong }));
    const good = new Fate(intake.enqueue({ ...TASK, id: 'good' }));
    await settled();
    expect(bad.error).toMatchObject({ code: 'TASK_INVALID' });
    expect(good.now).toBe('resolved undefined');
    expect(sent).toEqual(['good']);
  });

  it('goes in a batch with few others when its plan is long', async () => {
    const { intake, sent, batches } = rig();
    const plan = 'x'.repeat(250_000);
    const ids = Array.from({ length: 12 }, (_, at) => `t${at}`);
    const fates = ids.map((id) => new Fate(intake.enqueue({ ...TASK, id, plan })));
    await settled();
    expect(fates.map(({ now }) => now)).toEqual(ids.map(() => 'resolved undefined'));
    expect([sent, batches]).toEqual([ids, [5, 5, 2]]);
  });

  it('may speak of NUL and of surrogates, and hold whole ones', async () => {
    const { intake } = rig();
    const deep: unknown = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`);
    expect((await fateOf(intake.enqueue({ ...TASK, plan: { deep: 'x[{"', brackets: '\\"[[[' } }))).now).toContain(
      'resolved',
    );
    expect((await fateOf(intake.enqueue({ ...TASK, plan: deep }))).now).toContain('resolved');
    const plan = { say: 'the text \\u0000 and \\ud800', smile: '😀', slash: '\\' };
    expect((await fateOf(intake.enqueue({ ...TASK, plan }))).now).toBe('resolved undefined');
  });
});
