import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDrillRecord } from '../../../harness/bundle/drill-record.ts';
import { judge } from '../../../harness/checkers/judge.ts';
import { PROPERTY_NAMES } from '../../../harness/checkers/registry.ts';

const BUNDLES = ['sealed', 'with-a-queue'];
const CUTS = 40;

describe('the record of a sound drill that was cut', () => {
  it.each(BUNDLES)('is inconclusive wherever it was cut, and accuses nobody: %s', async (name) => {
    const folder = fileURLToPath(new URL(`../bundle/kept-bundles/${name}`, import.meta.url));
    const whole = await readDrillRecord(folder, PROPERTY_NAMES);
    expect(judge(whole).verdict).toBe('pass');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: whole.events.length }), (length) => {
        const { verdict, exitCode, worst, notes } = judge({
          ...whole,
          events: whole.events.slice(0, length),
          complete: false,
        });
        expect({ verdict, exitCode, worst: worst?.verdict }, worst?.reason).toEqual({
          verdict: 'inconclusive',
          exitCode: 2,
          worst: 'inconclusive',
        });
        expect(notes[0]).toMatch(/its run was cut short (?:before traffic began|\d+\.\d s after)/);
      }),
      { numRuns: CUTS },
    );
  });
});
