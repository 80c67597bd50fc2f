import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { effect, plus, without } from './history-builder.ts';
import { otherwise } from './queue-edits.ts';

const PROPERTY = 'timers_and_retries_cancelled';
const clean = cleanDrill();

const fires = (run: string, step: number, atMs = 5_620) =>
  effect({ atMs, worker: 1, run, capability: 'model/chat', key: `${run}/${step}`, step });

const withoutTasks = (task: RegExp) =>
  without(
    clean,
    ({ body }) => (body.type === 'store.taskChange' || body.type === 'store.task') && task.test(body.task),
  );

describe(PROPERTY, () => {
  it.each([
    ['discards', clean],
    ['parks', cleanDrill({ queue: 'park' })],
    ['is of a run with its descendants', cleanDrill({ on: { scope: 'run', target: 'primed-run' } })],
    ['stops everything', cleanDrill({ on: { scope: 'global', target: '*' } })],
  ])('passes a drill whose stop %s, with timers and retries due in it', (_, draft) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'pass', evidence: { retries: 1, revision: 1 } });
  });

  it.each([
    ['a timer arrives', plus(clean, ...fires('timed-1', 0)), /a timer fired: effect \d+ .* 2520 ms after/, 'timed-1'],
    ['a retry arrives', plus(clean, ...fires('retried-1', 0)), /a retry fired/, 'retried-1'],
    ['a run that was queued for later arrives', plus(clean, ...fires('later-1', 0)), /a timer fired/, 'later-1'],
    [
      'a timer is claimed',
      otherwise(
        clean,
        'timed-1/0',
        AT.stop,
        { from: 'queued', to: 'running', atMs: 5_620 },
        { from: 'running', to: 'discarded', atMs: 5_640 },
      ),
      /timer timed-1\/0 of run timed-1 waited at the stop of tenant:acme and was claimed/,
      'timed-1',
    ],
    [
      'a retry is claimed',
      otherwise(
        clean,
        'retried-1',
        AT.stop,
        { from: 'queued', to: 'running', atMs: 5_620 },
        { from: 'running', to: 'discarded', atMs: 5_640 },
      ),
      /the retry of run retried-1 waited at the stop/,
      'retried-1',
    ],
  ])('fails when %s in the stop, and names it', (_, draft, reason, run) => {
    expect(check(PROPERTY, draft)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(reason),
      evidence: { run, revision: 1, scope: 'tenant:acme' },
    });
  });

  it('lets them fire once they are let go', () => {
    expect(check(PROPERTY, cleanDrill({ queue: 'park' })).verdict).toBe('pass');
    expect(check(PROPERTY, plus(clean, ...fires('timed-1', 0, AT.released + 100))).verdict).toBe('pass');
  });

  it.each([
    ['a timer in scope that falls due in the stop', withoutTasks(/^(timed|later)/)],
    ['a retry in scope that falls due in the stop', withoutTasks(/^retried/)],
    ['changes of the queue witnessed', without(clean, ({ body }) => body.type === 'store.taskChange')],
  ])('is inconclusive without %s', (obligation, draft) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'inconclusive', evidence: { obligation } });
  });

  it('is inconclusive when they fall due after the stop only', () => {
    const late = {
      ...clean,
      timed: clean.timed.map((timed) =>
        timed.body.type === 'store.taskChange' ? { ...timed, body: { ...timed.body, dueNs: 1e17 } } : timed,
      ),
    };
    expect(check(PROPERTY, late)).toMatchObject({ verdict: 'inconclusive' });
  });

  it('does not apply to a stop of a capability that none of them has, or to a drain', () => {
    expect(check(PROPERTY, cleanDrill({ on: { scope: 'capability', target: 'read/crm' } })).verdict).not.toBe('fail');
    expect(check(PROPERTY, cleanDrill({ queue: 'drain' })).verdict).toBe('not_applicable');
  });
});
