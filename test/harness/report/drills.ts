import { judge } from '../../../harness/checkers/judge.ts';
import type { DrillRecord } from '../../../harness/drill/drill.ts';
import type { ReportInput } from '../../../harness/report/html/report-input.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { effect, plus, recordOf } from '../checkers/history-builder.ts';

/** Whoever made this up would be glad to see it obeyed. */
export const NASTY = `</title><script>alert('1')</script>"'&\u202e|\`\n::error::x]]>`;

export const environment: NonNullable<ReportInput['environment']> = {
  version: 1,
  environment: { environment: 'embedded', postgres: 'PostgreSQL 18' },
  machine: { node: 'v20', cores: 2, memoryMiB: null },
};

export function inputOf(record: DrillRecord): ReportInput {
  return { record, judgement: judge(record), environment };
}

export const clean = inputOf(recordOf(cleanDrill()));

const late = effect({ atMs: 5_000, worker: 1, run: 'run-0', capability: 'model/chat', key: 'late' });
export const failed = inputOf(recordOf(plus(cleanDrill(), ...late)));

/** A drill whose stopped tenant, and the reasons given, are what an attacker would like them to be. */
export const nasty: ReportInput = {
  ...failed,
  judgement: {
    ...failed.judgement,
    scenario: NASTY,
    flips: failed.judgement.flips.map((flip) => ({ ...flip, target: NASTY })),
    properties: failed.judgement.properties.map((one) => ({ ...one, reason: NASTY, evidence: { [NASTY]: NASTY } })),
    notes: [NASTY],
  },
};

/** So many effects more than the clean drill has, of so many workers, spread over its traffic. */
export function largeDrill(effects: number, workers: number): ReportInput {
  const draft = cleanDrill();
  const more = Array.from({ length: effects }, (_, nth) =>
    effect({
      atMs: 200 + (nth * 13_000) / effects,
      worker: 1 + (nth % workers),
      run: 'run-1',
      capability: 'model/chat',
      key: `many-${nth}`,
      landsAfterMs: 5,
    }),
  );
  return inputOf(recordOf({ ...draft, timed: draft.timed.concat(more.flat()) }));
}
