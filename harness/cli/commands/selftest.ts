import { withEnvironment } from '../../drill/with-environment.ts';
import { renderKillMatrix } from '../../report/kill-matrix-table.ts';
import { runSelftest } from '../../selftest/run-selftest.ts';
import { chooseSubjects, CONTROLS, listMutants } from '../../selftest/subject.ts';
import { EXIT } from '../exit.ts';
import { selftestScenario } from '../find-scenario.ts';
import { forgetPostgresVariables } from '../forget-postgres-variables.ts';
import { interruptible } from '../interrupt.ts';
import { liveProgress } from '../live-progress.ts';
import { data, note } from '../output.ts';
import { prepareOut } from '../prepare-out.ts';
import { wholeNumber } from '../whole-number.ts';

export interface SelftestFlags {
  readonly rounds: string;
  readonly out: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const MAX_ROUNDS = 1000;

/** `killdrill selftest [name…]`: 0 when every mutant was killed and every clean fleet passed, 1 otherwise. */
export async function selftest(names: readonly string[], flags: SelftestFlags): Promise<number> {
  const rounds = wholeNumber('--rounds', flags.rounds, { min: 1, max: MAX_ROUNDS });
  const subjects = chooseSubjects([...CONTROLS, ...(await listMutants())], names);
  prepareOut(flags.out);
  forgetPostgresVariables(process.env);
  const { signal, dispose } = interruptible();
  const quiet = flags.quiet === true;
  const progress = liveProgress(quiet);
  try {
    const rows = await withEnvironment(signal, (ground) =>
      runSelftest({
        ground,
        subjects,
        scenarioOf: ({ scenario }) => selftestScenario(scenario),
        rounds,
        reportsFolder: flags.out,
        onProgress: (now) => progress.show(now),
        onRow: ({ name, sound, why }) => {
          progress.clear();
          if (!quiet) note(`${name}: ${sound ? 'as it must be' : (why ?? 'not as it must be')}`);
        },
        signal,
      }),
    );
    data(flags.json === true ? JSON.stringify({ version: 1, rows }, null, 2) : renderKillMatrix(rows));
    return rows.every(({ sound }) => sound) ? EXIT.pass : EXIT.failed;
  } finally {
    progress.clear();
    dispose();
  }
}
