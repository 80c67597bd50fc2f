import { guardsOf } from '../selftest/guards.ts';
import type { MatrixLine } from '../selftest/matrix-line.ts';
import { markdownCode as code, markdownRow, markdownTable } from './markdown.ts';

/** What the page shows for a mutant that no run has killed yet, instead of a witness. */
const NO_WITNESS = 'none yet';

const HEADER =
  '<!-- Written by `killdrill selftest --matrix docs/kill-matrix.md`; `npm run check:docs` compares it with the code, and CI with a run. -->';
const INTRODUCTION =
  'What the harness was drilled with: fleets with one planted bug each, which it must fail by the property named for the bug, and sound fleets, some of them in circumstances that look guilty, which it must pass. A mutant counts as killed only if that property is `fail` while steady state, exposure and faults went as planned, and if it proved itself active.';
const WITNESSES =
  'A witness is the sentence with which a run killed the mutant. Ids and times differ from run to run, so a rerun keeps the sentence that stands here as long as it kills the same mutant by the same property.';

/**
 * The kill matrix in Markdown, the same bytes for every run that ends the same.
 *
 * @param before the page as it was, whose witnesses are kept where nothing else of the mutant's row has changed; null for
 * none, so that each is the run's own
 */
export function killMatrixPage(
  lines: readonly MatrixLine[],
  properties: readonly string[],
  before: string | null,
): string {
  const known = before === null ? [] : before.split('\n');
  const mutants = lines.filter(({ kind }) => kind === 'mutant');
  const controls = lines.filter(({ kind }) => kind === 'control');
  return `${[
    HEADER,
    '# Kill matrix',
    INTRODUCTION,
    `## Mutants: ${soundOf(mutants)} killed`,
    markdownTable(
      ['mutant', 'its bug', 'scenario', 'must fail', 'result', 'a witness'],
      mutants.map((line) => [...cellsOf(line), keptWitness(line, known) ?? line.witness ?? NO_WITNESS]),
    ),
    WITNESSES,
    `## Sound fleets: ${soundOf(controls)} passed`,
    markdownTable(
      ['fleet', 'scenario', 'result'],
      controls.map(({ name, scenario, sound }) => [code(name), code(scenario), sound ? 'passed' : 'NOT PASSED']),
    ),
    '## What guards each property',
    markdownTable(
      ['property', 'mutants killed by it'],
      guardsOf(lines, properties).map(({ property, mutants: by }) => [
        code(property),
        by.length === 0 ? 'unguarded' : by.map(code).join(', '),
      ]),
    ),
  ].join('\n\n')}\n`;
}

/** Whether the page has a mutant that no run has killed. */
export function lacksWitness(page: string): boolean {
  return page.split('\n').some((row) => row.endsWith(`| ${NO_WITNESS} |`));
}

/** Everything of a mutant's row but the witness. */
function cellsOf({ name, bug, scenario, property, sound }: MatrixLine): readonly string[] {
  return [code(name), bug ?? '', code(scenario), code(property ?? ''), sound ? 'killed' : 'SURVIVED'];
}

function keptWitness(line: MatrixLine, known: readonly string[]): string | null {
  if (!line.sound) return null;
  const start = markdownRow(cellsOf(line)).replace(/\|$/, '| ');
  const row = known.find((one) => one.startsWith(start) && one.endsWith(' |'));
  if (row === undefined) return null;
  const witness = row.slice(start.length, -' |'.length).replaceAll('\\|', '|');
  return witness === NO_WITNESS || witness === '' ? null : witness;
}

function soundOf(lines: readonly MatrixLine[]): string {
  return `${lines.filter(({ sound }) => sound).length} of ${lines.length}`;
}
