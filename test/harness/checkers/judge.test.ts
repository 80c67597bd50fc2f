import { describe, expect, it } from 'vitest';
import { fold, judge } from '../../../harness/checkers/judge.ts';
import { recordOf } from './history-builder.ts';
import { cleanDrill } from './clean-drill.ts';

describe('judge', () => {
  it('passes a clean drill of every scope', () => {
    const j = judge(recordOf(cleanDrill()));
    console.log(JSON.stringify(j, null, 1));
    expect(j.verdict).toBe('pass');
  });
});
