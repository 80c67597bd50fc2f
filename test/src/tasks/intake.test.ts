import { describe, expect, it } from 'vitest';
import { RegistryDecider } from '../../../src/decider.ts';
import type { FenceAnswer, Head, NewTask } from '../../../src/store/store.ts';
import { TaskIntake } from '../../../src/tasks/intake.ts';
import { Fate } from '../fate.ts';
import { stopFlip } from '../chain-store.ts';
import { GateRig } from '../gate-rig.ts';
import { settled } from '../manual-clock.ts';

const TASK: NewTask = {
  id: 't1',
  kind: 'run',
  run: 'r1',
  tenant: 'acme',
  feature: null,
  agent: 'a1',
  lineage: ['root'],
  plan: { steps: 1 },
};

function rig(): {
  readonly rig: GateRig;
  readonly intake: TaskIntake;
  readonly sent: string[];
  readonly say: (answer: FenceAnswer | Error) => void;
} {
  const gated = new GateRig();
  const { registry, lease, store } = gated;
  const sent: string[] = [];
  let next: FenceAnswer | Error | null = null;
  const enqueue = (head: Head, tasks: readonly NewTask[]): Promise<FenceAnswer> => {
    sent.push(...tasks.map(({ id }) => id));
    const answer = next ?? store.fence(head);
    next = null;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const fence = { enqueue, admitIntents: () => Promise.reject(new Error('no intents here')) };
  const context = { registry, lease, diverged: () => undefined };
  const intake = new TaskIntake(fence, new RegistryDecider(registry, lease), context);
  return { rig: gated, intake, sent, say: (answer) => (next = answer) };
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
  ])('is refused with %s, and takes no other down with it', async (_what, wrong) => {
    const { intake, sent } = rig();
    const bad = new Fate(intake.enqueue({ ...TASK, ...wrong }));
    const good = new Fate(intake.enqueue({ ...TASK, id: 'good' }));
    await settled();
    expect(bad.error).toMatchObject({ code: 'TASK_INVALID' });
    expect(good.now).toBe('resolved undefined');
    expect(sent).toEqual(['good']);
  });

  it('may speak of NUL and of surrogates, and hold whole ones', async () => {
    const { intake } = rig();
    const plan = { say: 'the text \\u0000 and \\ud800', smile: '😀', slash: '\\' };
    expect((await fateOf(intake.enqueue({ ...TASK, plan }))).now).toBe('resolved undefined');
  });
});
