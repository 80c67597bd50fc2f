import { NOTHING_PLANTED } from '../drill/prepare-store.ts';
import { runDrill } from '../drill/run-drill.ts';
import type { DrillProgress } from '../drill/drill-input.ts';
import type { Ground } from '../drill/with-environment.ts';
import { simulatedExecutor, simulatedFleet } from '../fleet/fleet-command.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { planDrill } from '../traffic/plan-drill.ts';
import { judgeSubject } from './kill-matrix.ts';
import type { SelftestRow } from './kill-matrix.ts';
import { whileStalled } from './stalled-witness.ts';
import type { Subject } from './subject.ts';

/** One drill of the selftest, as it is asked for. */
export interface SubjectDrill {
  readonly subject: Subject;
  readonly scenario: Scenario;
  readonly reportsFolder: string;
}

export interface DrillWatch {
  readonly onProgress: (progress: DrillProgress) => void;
  readonly signal: AbortSignal;
}

/** Drills one mutant or control in an environment that is up, and judges it as such. */
export async function drillSubject(
  { environment, folder, watch }: Ground,
  { subject, scenario, reportsFolder }: SubjectDrill,
  { onProgress, signal }: DrillWatch,
): Promise<SelftestRow> {
  const isMutant = subject.kind === 'mutant';
  const stalls = isMutant ? null : (subject.stalls ?? null);
  const bent = isMutant ? ['--mutant', subject.name] : [];
  const { judgement, record } = await whileStalled(stalls, () =>
    runDrill({
      plan: planDrill(scenario),
      environment,
      folder,
      reportsFolder,
      command: simulatedFleet(bent),
      executorCommand: simulatedExecutor(bent),
      planted: isMutant ? subject : NOTHING_PLANTED,
      onSpawned: watch,
      onProgress,
      signal,
    }),
  );
  return judgeSubject(subject, judgement, record);
}
