import { describe, expect, it } from 'vitest';
import { killMatrixPage } from '../../../harness/report/kill-matrix-page.ts';
import type { MatrixLine } from '../../../harness/selftest/matrix-line.ts';

const KILLED: MatrixLine = {
  ...{ kind: 'mutant', name: 'sticks', bug: 'stays | stopped', scenario: 'park', property: 'flows', sound: true },
  witness: 'run-17 waited 912 ms (a | b)',
};
const CLEAN: MatrixLine = {
  ...{ kind: 'control', name: 'clean', bug: null, scenario: 'tenant', property: null, sound: true, witness: null },
};
const PROPERTIES = ['flows', 'stops'];
const ROW = '| `sticks` | stays \\| stopped | `park` | `flows` | killed | run-17 waited 912 ms (a \\| b) |';

const pageOf = (lines: readonly MatrixLine[], before: string | null = null): string =>
  killMatrixPage(lines, PROPERTIES, before);

describe('the kill matrix as a page', () => {
  it('shows each mutant with its bug, scenario, property and witness, each sound fleet, and what guards each property', () => {
    const page = pageOf([CLEAN, KILLED]);
    expect(page).toContain(`\n${ROW}\n`);
    expect(page).toContain('\n| `clean` | `tenant` | passed |\n');
    expect(page).toContain('\n| `flows` | `sticks` |\n| `stops` | unguarded |\n');
    expect(page).toContain('Mutants: 1 of 1 killed');
  });

  it('is the same, byte by byte, after a rerun that killed the same by another witness', () => {
    const before = pageOf([CLEAN, KILLED]);
    const rerun = { ...KILLED, witness: 'run-99 waited 4 ms' };
    expect(pageOf([CLEAN, rerun])).not.toBe(before);
    expect(pageOf([CLEAN, rerun], before)).toBe(before);
  });

  it.each([
    ['its bug', { bug: 'is late' }],
    ['its scenario', { scenario: 'drain' }],
    ['its property', { property: 'stops' }],
    ['its name', { name: 'stays' }],
  ])('takes a new witness where %s has changed', (_, change) => {
    const rerun = { ...KILLED, ...change, witness: 'run-99 waited 4 ms' };
    const page = pageOf([CLEAN, rerun], pageOf([CLEAN, KILLED]));
    expect(page).toContain('run-99');
    expect(page).not.toContain('run-17');
  });

  it('shows a survivor, which guards nothing and keeps no witness, and a control that did not pass', () => {
    const survivor = { ...KILLED, sound: false, witness: null };
    const page = pageOf([{ ...CLEAN, sound: false }, survivor], pageOf([CLEAN, KILLED]));
    expect(page).toContain('| `flows` | SURVIVED | none yet |');
    expect(page).toContain('| `clean` | `tenant` | NOT PASSED |');
    expect(page).toContain('| `flows` | unguarded |');
    expect(page).toContain('Mutants: 0 of 1 killed');
  });
});
