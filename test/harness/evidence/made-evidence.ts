import { evidenceOf } from '../../../harness/evidence/evidence-of.ts';
import type { EvidenceInput } from '../../../harness/evidence/evidence-of.ts';
import type { Evidence } from '../../../harness/evidence/evidence-file.ts';
import { factsOf } from '../../../harness/evidence/load-evidence.ts';
import type { KeptEvidence } from '../../../harness/evidence/load-evidence.ts';
import { sealOf } from '../../../harness/evidence/seal.ts';
import { clean, environment } from '../report/drills.ts';
import type { ReportInput } from '../../../harness/report/html/report-input.ts';

export const told: Pick<EvidenceInput, 'who' | 'project'> = {
  who: { name: 'somebody', toldBy: '--by' },
  project: { commit: 'c0ffee', dirty: false, unknownBecause: null },
};

/** Evidence of a drill that the checkers judged. */
export function evidenceFrom(
  { record, judgement }: Pick<ReportInput, 'record' | 'judgement'>,
  more: Partial<EvidenceInput> = {},
): Evidence {
  return evidenceOf({
    record,
    judgement,
    ...told,
    command: ['node', 'worker.js'],
    when: { start: new Date('2026-01-01T09:00:00Z'), end: new Date('2026-01-01T09:01:00Z') },
    environment,
    killdrill: '0.0.0',
    bundle: { name: '2026-01-01T09-00-00-clean', manifestSha256: '0'.repeat(64), storeHead: null },
    ...more,
  });
}

/** What a test wants to be different about evidence of a tenant's stop by PostgreSQL that passed. */
export interface Wanted {
  readonly end?: string;
  readonly verdict?: Evidence['result']['verdict'];
  readonly stop?: Partial<Evidence['stops'][number]>;
  readonly environment?: string;
  /** Findings besides which none is. */
  readonly properties?: Evidence['result']['properties'];
  readonly command?: readonly string[] | null;
  readonly nth?: number;
}

const base = evidenceFrom(clean);

export function madeEvidence({
  end,
  verdict,
  stop,
  environment: where,
  command,
  properties,
  nth = 0,
}: Wanted = {}): Evidence {
  const [first] = base.stops;
  if (first === undefined) throw new Error('the clean drill has no stop');
  const manifestSha256 = String(nth).padStart(64, '0');
  const { start } = base.when;
  const content = {
    ...base,
    when: { start: end !== undefined && end < start ? end : start, end: end ?? base.when.end },
    stops: [{ ...first, ...stop }],
    result: {
      ...base.result,
      verdict: verdict ?? base.result.verdict,
      properties: properties ?? base.result.properties,
    },
    environment: { ...base.environment, name: where ?? base.environment.name },
    fleet: {
      ...base.fleet,
      command: command === undefined ? base.fleet.command : command === null ? null : [...command],
    },
    bundle: { ...base.bundle, name: `run-${nth}`, manifestSha256 },
  };
  return { ...content, sha256: sealOf(content) };
}

/** Several, by the end of the drill. */
export function kept(...wanted: readonly Wanted[]): readonly KeptEvidence[] {
  return wanted.map((one, nth) => ({
    file: `evidence/run-${nth}.evidence.json`,
    evidence: factsOf(madeEvidence({ ...one, nth })),
  }));
}
