import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { effect, plus } from './history-builder.ts';

const PROPERTY = 'resume_completes_exactly_once';
const back = cleanDrill({ isResumed: true });

const again = (run: string, step: number | null = null) =>
  effect({ atMs: AT.resume + 500, worker: 1, run, capability: 'model/chat', key: `${run}/0#again`, step });

describe('an effect under a fresh key', () => {
  it('passes when there is none', () => {
    expect(check(PROPERTY, back)).toMatchObject({ verdict: 'pass' });
  });

  it('fails when a run that came back sends more than its plan has', () => {
    expect(check(PROPERTY, plus(back, ...again('later-1')))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(
        /under the key 'later-1\/0#again', and run later-1, which came back, has no such step/,
      ),
      evidence: { task: 'later-1', key: 'later-1/0#again' },
    });
  });

  it('fails when it bears the name of a step that had landed', () => {
    expect(check(PROPERTY, plus(back, ...again('later-1', 0)))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('landed before'),
    });
  });

  it('leaves a run that never came back to other properties', () => {
    expect(check(PROPERTY, plus(back, ...again('run-1'))).verdict).toBe('pass');
  });
});
