import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, effect, fault, plus, without, withScenario } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';
import { endingAs, otherwise, unchanged } from './queue-edits.ts';

const PROPERTY = 'modes_honoured';
const critical = {
  capabilities: ['write/*'],
  classes: [{ name: 'triage', scope: 'feature', target: 'triage' }],
} as const;
const noncritical = cleanDrill({ mode: 'halt_noncritical', critical });
const emergency = cleanDrill({ mode: 'emergency' });

const isSaid = ({ body }: Timed): boolean => body.type === 'worker.said' && body.said['event'] === 'emergency';
const byOne = (timed: Timed): boolean => isSaid(timed) && 'channel' in timed.body && timed.body.channel === 1;

/** Effects of runs of a feature that never came while the stop was on. */
function starved(draft: DraftDrill, feature: string): DraftDrill {
  const runs = new Set(draft.runs.filter((run) => run.feature === feature).map(({ run }) => run));
  return without(
    draft,
    ({ body, atMs }) => body.type === 'effect.arrived' && runs.has(body.run) && atMs > AT.stop && atMs < AT.release,
  );
}

/** Only so many runs of a feature and of the stopped tenant become due while the stop is on. */
function withoutDue(draft: DraftDrill, feature: string, keep: number): DraftDrill {
  const runs = new Set(
    draft.runs.filter((run) => run.feature === feature && run.tenant === 'acme').map(({ run }) => run),
  );
  let kept = 0;
  return without(draft, ({ body, atMs }) => {
    if (body.type !== 'run.due' || !runs.has(body.run) || atMs < AT.stop || atMs > AT.release) return false;
    if (atMs > AT.durable + 700) kept += 1;
    return kept > keep;
  });
}

/** A call of a critical capability that is open at the stop. */
function criticalCall(landsAfterMs: number | null): readonly Timed[] {
  return effect({ atMs: 3_000, worker: 1, run: 'run-0', capability: 'write/crm', key: 'open', landsAfterMs });
}

describe('modes_honoured under halt_noncritical', () => {
  it('passes when what is critical flowed, and the rest was parked', () => {
    expect(check(PROPERTY, noncritical)).toMatchObject({
      verdict: 'pass',
      evidence: { criticalDue: 96, criticalArrived: 96, parked: 4 },
    });
  });

  it('counts an open call of a critical capability that goes on', () => {
    const open = criticalCall(2_000);
    expect(check(PROPERTY, plus(noncritical, ...open))).toMatchObject({ evidence: { criticalCallsKept: 1 } });
  });

  it.each<[string, DraftDrill, RegExp, Record<string, unknown>]>([
    [
      'an effect that is not critical arrives',
      plus(noncritical, ...effect({ atMs: 5_000, worker: 1, run: 'run-0', capability: 'model/chat', key: 'late' })),
      /model\/chat of run run-0 on worker-1\) is not critical and arrived under halt_noncritical of tenant:acme/,
      { run: 'run-0', revision: 1 },
    ],
    [
      'critical work is stopped too',
      starved(noncritical, 'triage'),
      /only 0 of 96 effects of critical tasks/,
      { tenant: 'acme' },
    ],
    [
      'an open critical call is cut',
      plus(
        noncritical,
        ...effect({ atMs: 3_000, worker: 1, run: 'run-0', capability: 'write/crm', key: 'cut', landsAfterMs: null }),
        { atMs: AT.stop + 20, body: { type: 'effect.closed', effect: lastEffect(), by: 'worker' } },
      ),
      /is critical and was closed by its worker 20 ms after halt_noncritical/,
      { run: 'run-0', capability: 'write/crm' },
    ],
    [
      'a task is discarded',
      otherwise(noncritical, 'later-1', AT.stop, { from: 'queued', to: 'discarded', atMs: AT.stop + 20 }),
      /later-1 is not critical and was discarded/,
      { task: 'later-1' },
    ],
    [
      'a critical task is parked',
      otherwise(noncritical, 'run-165', 3_402, { from: 'queued', to: 'parked', atMs: 3_405 }),
      /run run-165 is critical and was parked/,
      { task: 'run-165' },
    ],
    [
      'a task that is not critical waits on',
      endingAs(
        unchanged(noncritical, 'later-1', (_, atMs) => atMs > AT.stop),
        'later-1',
        'queued',
      ),
      /later-1 waited at the stop of tenant:acme and still waited/,
      { task: 'later-1' },
    ],
  ])('fails when %s', (_, draft, reason, evidence) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason), evidence });
  });

  it('leaves a critical call to another stop that is on and lets nothing critical pass', () => {
    const id = 'stop-2';
    const on = { scope: 'global', target: '*' } as const;
    const facts = { flip: 3, kind: 'stop', ...on, mode: 'halt_all', queue: 'park', engagements: [], id } as const;
    const asked = { ...facts, expected: 'taken' } as const;
    const wider: readonly Timed[] = [
      { atMs: AT.stop + 10, body: { type: 'flip.requested', ...asked } },
      { atMs: AT.stop + 12, body: { type: 'flip.answered', ...asked, ok: true, error: null, revision: 2 } },
    ];
    const open = criticalCall(null);
    const cut = plus(noncritical, ...open, {
      atMs: AT.stop + 20,
      body: { type: 'effect.closed', effect: lastEffect(), by: 'worker' },
    });
    expect(check(PROPERTY, cut)).toMatchObject({ verdict: 'fail' });
    expect(check(PROPERTY, plus(cut, ...wider)).reason).not.toMatch(/was closed by its worker/);
  });

  it('is not content with one open critical call when nothing critical is let in', () => {
    const few = withoutDue(starved(noncritical, 'triage'), 'triage', 2);
    const open = criticalCall(2_000);
    expect(check(PROPERTY, plus(few, ...open))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'critical work in scope while the stop was on' },
    });
  });

  it('takes the scenario’s word for what is critical, not the store’s', () => {
    const claimed = changed(noncritical, (timed) =>
      timed.body.type === 'store.task' ? { ...timed, body: { ...timed.body, critical: true } } : timed,
    );
    const went = effect({ atMs: 5_000, worker: 1, run: 'run-0', capability: 'model/chat', key: 'late' });
    expect(check(PROPERTY, plus(claimed, ...went)).verdict).toBe('fail');
  });

  it('is inconclusive without critical work in the stop, or without other work that waits', () => {
    const none = cleanDrill({ mode: 'halt_noncritical' });
    expect(check(PROPERTY, none)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'critical work in scope while the stop was on' },
    });
    const idle = without(
      noncritical,
      ({ body }) =>
        (body.type === 'store.taskChange' || body.type === 'store.task') &&
        /^(timed|retried|later|run-15)/.test(body.task),
    );
    expect(check(PROPERTY, idle)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a task in scope that is not critical waiting at the stop' },
    });
    const unwitnessed = without(noncritical, ({ body }) => body.type === 'store.taskChange');
    expect(check(PROPERTY, unwitnessed)).toMatchObject({ evidence: { obligation: 'changes of the queue witnessed' } });
  });
});

describe('modes_honoured in an emergency', () => {
  it('passes when every worker said so with a snapshot', () => {
    expect(check(PROPERTY, emergency)).toMatchObject({
      verdict: 'pass',
      evidence: { workers: ['worker-1', 'worker-2'], slowestMs: 200 },
    });
  });

  it.each<[string, DraftDrill, RegExp]>([
    ['a worker never spoke of it', without(emergency, byOne), /worker-1 never spoke of the emergency of tenant:acme/],
    [
      'a worker spoke of it too late',
      changed(emergency, (timed) => (byOne(timed) ? { ...timed, atMs: AT.stop + 5_200 } : timed)),
      /worker-1 spoke of the emergency of tenant:acme 5200 ms after it; 5000 ms are allowed/,
    ],
    [
      'a worker wrote no snapshot',
      changed(emergency, (timed) =>
        timed.body.type === 'worker.said' && byOne(timed)
          ? { ...timed, body: { ...timed.body, said: { ...timed.body.said, snapshot: null } } }
          : timed,
      ),
      /worker-1 wrote no snapshot/,
    ],
    [
      'a worker spoke of another stop',
      changed(emergency, (timed) =>
        timed.body.type === 'worker.said' && byOne(timed)
          ? { ...timed, body: { ...timed.body, said: { ...timed.body.said, revision: 7 } } }
          : timed,
      ),
      /never spoke/,
    ],
  ])('fails when %s', (_, draft, reason) => {
    expect(check(PROPERTY, draft)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(reason),
      evidence: { worker: 'worker-1', revision: 1 },
    });
  });

  it('gives a worker that a fault cut off its time from the fault’s end, and asks nothing of a dead one', () => {
    const late = changed(emergency, (timed) => (byOne(timed) ? { ...timed, atMs: AT.stop + 6_000 } : timed));
    const cut = fault({ fault: 1, kind: 'cut', target: 'worker-1', plane: 'registry' }, AT.stop - 100, AT.stop + 2_000);
    expect(check(PROPERTY, plus(late, ...cut)).verdict).toBe('pass');
    const dead = changed(without(emergency, byOne), (timed) =>
      timed.body.type === 'worker.exited' && timed.body.channel === 1
        ? { ...timed, atMs: AT.stop + 2_000, body: { ...timed.body, code: null, signal: 'SIGKILL' } }
        : timed,
    );
    expect(check(PROPERTY, dead)).toMatchObject({ verdict: 'pass', evidence: { workers: ['worker-2'] } });
  });

  it('is inconclusive about somebody else’s fleet that says nothing, and about one that died', () => {
    const theirs = withScenario(without(emergency, isSaid), (scenario) => ({
      ...scenario,
      fleet: { ...scenario.fleet, command: ['their-fleet'] },
    }));
    expect(check(PROPERTY, theirs)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'workers that speak of emergencies' },
    });
    const dead = changed(emergency, (timed) =>
      timed.body.type === 'worker.exited' ? { ...timed, atMs: AT.stop + 2_000 } : timed,
    );
    expect(check(PROPERTY, dead)).toMatchObject({
      evidence: { obligation: 'a worker that lived for 5 s after the stop' },
    });
  });
});

describe('modes_honoured', () => {
  it('does not apply to a plain halt_all, and says who judges that', () => {
    expect(check(PROPERTY, cleanDrill())).toMatchObject({
      verdict: 'not_applicable',
      reason: expect.stringContaining('no_effect_after_stop'),
    });
  });
});

/** The number that `effect()` of the history builder has just given. */
function lastEffect(): number {
  const [timed] = effect({ atMs: 0, worker: 1, run: 'run-0', capability: 'write/crm', key: 'count' });
  return timed?.body.type === 'effect.arrived' ? timed.body.effect - 1 : 0;
}
