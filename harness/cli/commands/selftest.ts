import { PROPERTY_NAMES } from '../../checkers/registry.ts';
import { killMatrixPage } from '../../report/kill-matrix-page.ts';
import { renderKillMatrix } from '../../report/kill-matrix-table.ts';
import { guardsOf, holeIn } from '../../selftest/guards.ts';
import type { SelftestRow } from '../../selftest/kill-matrix.ts';
import { linesOfRows } from '../../selftest/matrix-line.ts';
import { runSelftest } from '../../selftest/run-selftest.ts';
import { chooseSubjects, CONTROLS, listMutants } from '../../selftest/subject.ts';
import type { Subject } from '../../selftest/subject.ts';
import { EXIT } from '../exit.ts';
import { selftestScenario } from '../find-scenario.ts';
import { forgetPostgresVariables } from '../forget-postgres-variables.ts';
import { interruptible } from '../interrupt.ts';
import { liveProgress } from '../live-progress.ts';
import { openMatrixFile } from '../matrix-file.ts';
import type { MatrixFile } from '../matrix-file.ts';
import { data, note } from '../output.ts';
import { prepareOut } from '../prepare-out.ts';
import { usage } from '../usage.ts';
import { wholeNumber } from '../whole-number.ts';

export interface SelftestFlags {
  readonly rounds: string;
  readonly parallel: string;
  readonly out: string;
  readonly matrix?: string;
  readonly list?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const MAX_ROUNDS = 1000;
const MAX_PARALLEL = 16;

/**
 * `killdrill selftest [name…]`: 0 when every mutant was killed, every clean fleet passed, and no property went unguarded
 * (which only the whole selftest can tell); 1 otherwise.
 */
export async function selftest(names: readonly string[], flags: SelftestFlags): Promise<number> {
  const rounds = wholeNumber('--rounds', flags.rounds, { min: 1, max: MAX_ROUNDS });
  const parallel = wholeNumber('--parallel', flags.parallel, { min: 1, max: MAX_PARALLEL });
  const subjects = chooseSubjects([...CONTROLS, ...(await listMutants())], names);
  if (flags.list === true) {
    data(flags.json === true ? JSON.stringify({ version: 1, subjects }, null, 2) : subjects.map(nameOf).join('\n'));
    return EXIT.pass;
  }
  const matrix = matrixOf(names, flags);
  prepareOut(flags.out);
  forgetPostgresVariables(process.env);
  const rows = await drillAll(subjects, { rounds, parallel }, flags);
  const lines = linesOfRows(subjects, rows);
  const guards = names.length === 0 ? guardsOf(lines, PROPERTY_NAMES) : null;
  const hole = guards === null ? null : holeIn(guards);
  const unguarded = guards?.filter(({ mutants }) => mutants.length === 0).map(({ property }) => property) ?? null;
  data(flags.json === true ? JSON.stringify({ version: 1, rows, unguarded }, null, 2) : renderKillMatrix(rows));
  if (hole !== null) note(hole);
  matrix?.write(killMatrixPage(lines, PROPERTY_NAMES, matrix.before));
  return rows.every(({ sound }) => sound) && hole === null ? EXIT.pass : EXIT.failed;
}

async function drillAll(
  subjects: readonly Subject[],
  { rounds, parallel }: { readonly rounds: number; readonly parallel: number },
  { out, quiet = false }: SelftestFlags,
): Promise<readonly SelftestRow[]> {
  const { signal, dispose } = interruptible();
  const progress = liveProgress(quiet);
  try {
    return await runSelftest({
      subjects,
      scenarioOf: ({ scenario }) => selftestScenario(scenario),
      rounds,
      parallel,
      reportsFolder: out,
      onProgress: (now) => progress.show(now),
      onRow: ({ name, sound, why }) => {
        progress.clear();
        if (!quiet) note(`${name}: ${sound ? 'as it must be' : (why ?? 'not as it must be')}`);
      },
      signal,
    });
  } finally {
    progress.clear();
    dispose();
  }
}

function matrixOf(names: readonly string[], { matrix }: SelftestFlags): MatrixFile | null {
  if (matrix === undefined) return null;
  if (names.length === 0) return openMatrixFile(matrix);
  throw usage(
    `--matrix writes the whole kill matrix, and only ${names.join(', ')} would be in it; leave the names away`,
  );
}

function nameOf({ name }: Subject): string {
  return name;
}
