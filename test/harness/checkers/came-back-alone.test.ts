import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, plus, without } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';
import { otherwise } from './queue-edits.ts';

const PROPERTY = 'resume_respects_halt';
const back = cleanDrill({ isResumed: true });

/** The drill in which a run of acme, which had been discarded, is queued at some instant and done. */
function cameBack(draft: DraftDrill, atMs: number): DraftDrill {
  return otherwise(
    draft,
    'later-1',
    AT.released + 1,
    { from: 'discarded', to: 'queued', atMs, stamp: 2 },
    { from: 'queued', to: 'running', atMs: atMs + 10, stamp: 2 },
    { from: 'running', to: 'done', atMs: atMs + 60, stamp: 2 },
  );
}

/** The drill whose resume names these only. */
function resuming(draft: DraftDrill, which: Readonly<Record<string, unknown>>): DraftDrill {
  return changed(draft, (timed) =>
    timed.body.type === 'operator.asked' && timed.body.kind === 'resume'
      ? { ...timed, body: { ...timed.body, which } }
      : timed,
  );
}

describe('a task that came back without a resume', () => {
  it.each<[string, DraftDrill]>([
    ['nobody resumes anything', cameBack(cleanDrill(), AT.released + 50)],
    ['it comes back long after the resume was answered', cameBack(back, AT.resume + 2_000)],
    ['the resume is of another tenant', resuming(back, { kind: 'tenant', tenant: 'beta' })],
    ['the resume is of another run', resuming(back, { kind: 'runs', runs: ['run-1'] })],
  ])('fails when %s', (_, draft) => {
    expect(check(PROPERTY, draft)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/was discarded and became queued after revision 2, and nobody resumed it/),
      evidence: { tenant: 'acme', to: 'queued' },
    });
  });

  it('passes what the resume names, by its tenant or its run', () => {
    expect(check(PROPERTY, resuming(back, { kind: 'tenant', tenant: 'acme' })).verdict).toBe('pass');
    const tasks = back.timed.flatMap(({ body }) => (body.type === 'store.task' ? [body.run] : []));
    expect(check(PROPERTY, resuming(back, { kind: 'runs', runs: tasks })).verdict).toBe('pass');
  });

  it('does not blame what a resume without an answer may have brought back', () => {
    const silent = without(back, ({ body }) => body.type === 'operator.answered');
    expect(check(PROPERTY, plus(cameBack(silent, AT.resume + 2_000))).verdict).not.toBe('fail');
  });
});
