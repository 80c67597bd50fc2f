import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { cleanDrill } from './clean-drill.ts';
import { effect, plus, without } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';
import { taskChange } from './queue-edits.ts';

const PROPERTY = 'no_new_children';
const clean = cleanDrill();
const CHILD = 'primed-1.4';

/** A child's row in the queue, which the clean drill never let in. */
function withChild(draft: DraftDrill, ...states: readonly ['queued' | 'running', number][]): DraftDrill {
  const who = { tenant: 'acme', feature: 'assist', agent: 'agent-1', lineage: ['primed-1'], capability: null };
  const row = { task: CHILD, kind: 'child', run: CHILD, ...who, critical: false, state: 'discarded', attempts: 0 };
  const changes = states.map(([to, atMs], nth) => {
    return taskChange({ task: CHILD, from: states[nth - 1]?.[0] ?? null, to, atMs, stamp: 1 });
  });
  return plus(draft, ...changes, { atMs: 5_000, body: { type: 'store.task', ...row, admittedRevision: 1 } });
}

describe(PROPERTY, () => {
  it.each([
    ['a tenant', clean],
    ['a run and its descendants', cleanDrill({ on: { scope: 'run', target: 'primed-run' } })],
    ['everything, and drains', cleanDrill({ on: { scope: 'global', target: '*' }, queue: 'drain' })],
  ])('passes a stop of %s with parents about to start a child, and children at work', (_, draft) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'pass', evidence: { children: 1, revision: 1 } });
  });

  it.each<[string, DraftDrill, RegExp, Record<string, unknown>]>([
    [
      'a child is started',
      plus(
        clean,
        ...effect({ atMs: 4_000, worker: 1, run: 'primed-1', capability: 'agent/spawn', key: 'primed-1/4', step: 4 }),
      ),
      /agent\/spawn of run primed-1 on worker-1\) started a child under the stop of tenant:acme/,
      { run: 'primed-1', child: CHILD },
    ],
    [
      'a child begins',
      plus(clean, ...effect({ atMs: 4_000, worker: 2, run: CHILD, capability: 'model/chat', key: `${CHILD}/0` })),
      /child run primed-1.4 of primed-1 began under the stop of tenant:acme/,
      { run: CHILD, parent: 'primed-1' },
    ],
    [
      'a child is queued',
      withChild(clean, ['queued', 4_000]),
      /child primed-1.4 was queued after revision 1/,
      { task: CHILD },
    ],
    [
      'a child that was queued is claimed',
      withChild(clean, ['queued', 3_000], ['running', 4_000]),
      /child primed-1.4 was claimed after revision 1/,
      { task: CHILD, revision: 1 },
    ],
    [
      'a drain lets a new child in',
      withChild(cleanDrill({ queue: 'drain' }), ['queued', 3_500]),
      /was queued after revision 1/,
      { task: CHILD },
    ],
  ])('fails when %s under the stop', (_, draft, reason, evidence) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason), evidence });
  });

  it('binds descendants of a stopped run, and no stranger', () => {
    const stopped = cleanDrill({ on: { scope: 'run', target: 'primed-run' } });
    const spawned = effect({
      atMs: 4_000,
      worker: 1,
      run: 'primed-run.7',
      capability: 'model/chat',
      key: 'primed-run.7/0',
    });
    expect(check(PROPERTY, plus(stopped, ...spawned)).verdict).toBe('fail');
    const other = effect({ atMs: 4_000, worker: 1, run: 'run-1', capability: 'agent/spawn', key: 'run-1/9' });
    expect(check(PROPERTY, plus(stopped, ...other)).verdict).toBe('pass');
  });

  it.each([
    [
      'a parent in scope with a spawn ahead of it at the stop',
      {
        ...clean,
        runs: clean.runs.map((run) => (/^primed-\d$/.test(run.run) ? { ...run, plan: run.plan.slice(0, 4) } : run)),
      },
    ],
    [
      'a child in scope with a call open at the stop',
      without(clean, ({ body }) => body.type === 'effect.arrived' && body.run === 'parent-1.0'),
    ],
  ])('is inconclusive without %s', (obligation, draft) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'inconclusive', evidence: { obligation } });
  });

  it('does not apply to a stop of a capability that starts no child', () => {
    expect(check(PROPERTY, cleanDrill({ on: { scope: 'capability', target: 'write/mail' } })).verdict).toBe(
      'not_applicable',
    );
  });
});
