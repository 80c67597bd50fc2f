import { MUTANTS } from '../fleet-sim/mutants/registry.ts';
import { PROPERTY_NAMES } from '../harness/checkers/registry.ts';
import { killMatrixPage, lacksWitness } from '../harness/report/kill-matrix-page.ts';
import { guardsOf, holeIn } from '../harness/selftest/guards.ts';
import { linesAsTheyMustBe } from '../harness/selftest/matrix-line.ts';
import { CONTROLS } from '../harness/selftest/subject.ts';
import type { Subject } from '../harness/selftest/subject.ts';

/** Where the kill matrix of the last selftest is kept. */
export const KILL_MATRIX = 'docs/kill-matrix.md';

const RENEW = `run \`npx killdrill selftest --matrix ${KILL_MATRIX}\` and commit it`;

/** All that the code has now. */
const SUBJECTS: readonly Subject[] = [
  ...CONTROLS,
  ...MUTANTS.map(({ name, bug, removes, property, scenario, grants = [], sql = null }) => {
    const kind = 'mutant' as const;
    return { kind, name, bug, removes, property, scenario, grants, sql };
  }),
];

/**
 * What is wrong with the stored kill matrix, in sentences, as far as it shows without a run: it names exactly the mutants
 * and controls that the code has, each as it must be, and every property is guarded.
 */
export function complaintsAbout(
  stored: string | null,
  subjects: readonly Subject[] = SUBJECTS,
  properties: readonly string[] = PROPERTY_NAMES,
): readonly string[] {
  const lines = linesAsTheyMustBe(subjects);
  const hole = holeIn(guardsOf(lines, properties));
  const holes = hole === null ? [] : [`${KILL_MATRIX} has a hole: ${hole}`];
  if (stored === null) return [`${KILL_MATRIX} is missing: ${RENEW}`, ...holes];
  const wanted = killMatrixPage(lines, properties, stored);
  if (wanted !== stored)
    return [`${KILL_MATRIX} is out of date, ${firstDifference(stored, wanted)}: ${RENEW}`, ...holes];
  if (lacksWitness(stored)) return [`${KILL_MATRIX} has a mutant that no run has killed: ${RENEW}`, ...holes];
  return holes;
}

function firstDifference(stored: string, wanted: string): string {
  const found = stored.split('\n');
  const expected = wanted.split('\n');
  const at = expected.findIndex((line, index) => line !== found[index]);
  const line = at === -1 ? expected.length : at;
  return `line ${line + 1} is '${found[line] ?? ''}' and has to be '${expected[line] ?? ''}'`;
}
