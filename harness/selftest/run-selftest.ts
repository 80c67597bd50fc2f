import { simulatedFleet } from '../fleet/fleet-command.ts';
import { NOTHING_PLANTED } from '../drill/prepare-store.ts';
import { runDrill } from '../drill/run-drill.ts';
import type { DrillProgress } from '../drill/run-drill.ts';
import type { Ground } from '../drill/with-environment.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { judgeSubject } from './kill-matrix.ts';
import type { SelftestRow } from './kill-matrix.ts';
import { whileStalled } from './stalled-witness.ts';
import type { Subject } from './subject.ts';

export interface SelftestInput {
  readonly ground: Ground;
  readonly subjects: readonly Subject[];
  readonly scenarioOf: (subject: Subject) => Scenario;
  readonly rounds: number;
  readonly reportsFolder: string;
  readonly onProgress: (progress: DrillProgress) => void;
  readonly onRow: (row: SelftestRow) => void;
  readonly signal: AbortSignal;
}

/** Drills the harness: each subject `rounds` times, one environment for all. */
export async function runSelftest(input: SelftestInput): Promise<readonly SelftestRow[]> {
  const { environment, folder, watch } = input.ground;
  const rows: SelftestRow[] = [];
  for (let round = 1; round <= input.rounds; round += 1) {
    for (const subject of input.subjects) {
      const stalls = subject.kind === 'control' ? (subject.stalls ?? null) : null;
      const { judgement, record } = await whileStalled(stalls, () =>
        runDrill({
          scenario: input.scenarioOf(subject),
          environment,
          folder,
          reportsFolder: input.reportsFolder,
          command: simulatedFleet(subject.kind === 'mutant' ? ['--mutant', subject.name] : []),
          planted: subject.kind === 'mutant' ? subject : NOTHING_PLANTED,
          onSpawned: watch,
          onProgress: input.onProgress,
          signal: input.signal,
        }),
      );
      const row = judgeSubject(subject, judgement, record);
      rows.push(row);
      input.onRow(row);
    }
  }
  return rows;
}
