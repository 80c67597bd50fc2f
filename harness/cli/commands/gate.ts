import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { withEnvironment } from '../../drill/with-environment.ts';
import { chooseRuns } from '../../regression/choose-runs.ts';
import type { ChosenRuns } from '../../regression/choose-runs.ts';
import { GATE_FILE } from '../../regression/gate-file.ts';
import type { GateFile } from '../../regression/gate-file.ts';
import { gateReportOf } from '../../regression/gate-report.ts';
import type { GateReport } from '../../regression/gate-report.ts';
import { findSubjects } from '../../regression/gate-subject.ts';
import type { GateSubjects } from '../../regression/gate-subject.ts';
import { runGate } from '../../regression/run-gate.ts';
import { gateLine, renderGate } from '../../report/gate-table.ts';
import { shellWord } from '../../report/shell-command.ts';
import { printable } from '../../report/wrap.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { DrillFlags } from '../drill-flags.ts';
import { environmentFor } from '../environment-for.ts';
import { fileReporters } from '../file-reporters.ts';
import { gateFileFor } from '../gate-file-for.ts';
import { forgetPostgresVariables } from '../forget-postgres-variables.ts';
import { tellGithub } from '../gate-on-github.ts';
import { interruptible } from '../interrupt.ts';
import { liveProgress } from '../live-progress.ts';
import { data, mayColour, note } from '../output.ts';
import { prepareOut } from '../prepare-out.ts';
import { report, reportSkipped } from '../reporters.ts';
import type { Reporter } from '../reporters.ts';
import { shortest } from '../shortest.ts';

export interface GateFlags extends DrillFlags {
  readonly profile?: string;
}

const WIDTH = 80;

/** `killdrill gate [DIR|BUNDLE]`: drills what is kept against the fleet as it is now, and says what is worse than it was. */
export async function gate(folder: string, flags: GateFlags): Promise<number> {
  const reporters = fileReporters(flags.reporter, "the gate's");
  const found = await findSubjects(folder);
  const { file, said } = gateFileFor(folder, found, flags.profile);
  if (said !== null) note(printable(said));
  const chosen = chooseRuns(found.subjects, file, flags.profile ?? null, join(found.home ?? folder, GATE_FILE));
  prepareOut(flags.out);
  forgetPostgresVariables(process.env);
  const answer = await drillAll(folder, { ...chosen, fleet: file.fleet, reporters }, flags);
  const undrilled = answer.regressions.filter(({ drills }) => drills.length === 0);
  reportSkipped(
    undrilled.map(({ name, why }) => ({ scenario: name, why: why.join('; ') })),
    reporters,
  );
  tellGithub(answer, reporters);
  data(
    flags.json === true
      ? JSON.stringify(answer, null, 2)
      : renderGate(answer, { width: WIDTH, colour: mayColour(process.stdout) }),
  );
  return answer.exitCode;
}

interface Asked extends ChosenRuns {
  readonly fleet: GateFile['fleet'];
  readonly reporters: readonly Reporter[];
}

async function drillAll(
  gatePath: string,
  { subjects, coverage, profile, fleet, reporters }: Asked,
  { environment: choice, out, quiet = false }: GateFlags,
): Promise<GateReport> {
  const { signal, dispose } = interruptible();
  const progress = liveProgress(quiet);
  const startMs = performance.now();
  let drills = 0;
  try {
    return await withEnvironment(environmentFor(scenariosOf(subjects), choice), signal, async (ground) => {
      const { environment } = ground;
      if (!quiet) for (const [what, fact] of Object.entries(environment.facts)) note(`${what}: ${fact}`);
      const results = await runGate(ground, {
        subjects,
        fleet,
        reportsFolder: out,
        nowMs: () => performance.now(),
        nameFolder: shortest,
        onProgress: (now) => progress.show(now),
        onDrilled: (judgement, { bundleFolder, folder }) => {
          drills += 1;
          const reproduce = `killdrill gate ${shellWord(folder)}`;
          report(judgement, { reporters, reproduce, bundleFolder, isFurther: drills > 1 });
        },
        onResult: ({ attempts, ...result }) => {
          progress.clear();
          if (!quiet) note(gateLine({ ...result, drills: attempts }));
        },
        signal,
      });
      const seconds = (performance.now() - startMs) / 1_000;
      return gateReportOf({ gate: gatePath, environment: environment.name, seconds, profile }, results, coverage);
    });
  } finally {
    progress.clear();
    dispose();
  }
}

function scenariosOf(subjects: GateSubjects['subjects']): readonly Scenario[] {
  return subjects.flatMap((subject) => (subject.kind === 'drillable' ? [subject.plan.scenario] : []));
}
