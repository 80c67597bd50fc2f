import type { Judgement } from '../checkers/verdict-file.ts';
import type { DrillOutcome } from '../drill/drill-input.ts';
import { judge } from '../checkers/judge.ts';
import { changedVerdicts } from '../regression/verdict-changes.ts';
import type { ChangedVerdict } from '../regression/verdict-changes.ts';
import { closenessOf } from './closeness.ts';
import type { Closeness } from './closeness.ts';
import { replaySentence } from './replay-sentence.ts';
import type { ReplaySubject } from './replay-subject.ts';

export const REPLAY_REPORT_VERSION = 1;

/** What a replay showed, as `replay --json` prints it. Additions keep the version. */
export interface ReplayReport {
  readonly version: typeof REPLAY_REPORT_VERSION;
  /** The stored run that was drilled again. */
  readonly replay: string;
  /** It is never a judgement of the stored history: servers, fleet and faults were there. */
  readonly ran: 'live';
  readonly environment: string;
  readonly seconds: number;
  /** What the replay wrote. */
  readonly bundle: string;
  readonly verdict: { readonly was: Judgement['verdict']; readonly is: Judgement['verdict'] };
  /** Of the replay's own verdict, as `run` gives it. */
  readonly exitCode: Judgement['exitCode'];
  /** The first of the worst that the replay found; null when all is well. */
  readonly worst: Judgement['worst'];
  /** Properties and expectations that the two verdicts say different things of. */
  readonly differing: readonly ChangedVerdict[];
  /** Null for a kept run: its history stayed behind. */
  readonly closeness: Closeness | null;
  readonly sentence: string;
}

/** Puts together how close a replay came. Both drills are measured anew, with the same checkers. */
export function replayReportOf(
  subject: Pick<ReplaySubject, 'folder' | 'kept' | 'stored'>,
  { record, judgement }: Pick<DrillOutcome, 'record' | 'judgement'>,
  facts: { readonly environment: string; readonly seconds: number; readonly bundle: string },
): ReplayReport {
  const { folder, kept, stored } = subject;
  const closeness =
    stored === null ? null : closenessOf({ record: stored, judgement: judge(stored) }, { record, judgement });
  const verdict = { was: kept.verdict, is: judgement.verdict };
  const differing = changedVerdicts(kept, judgement).filter(({ name }) => name !== 'verdict');
  return {
    version: REPLAY_REPORT_VERSION,
    replay: folder,
    ran: 'live',
    ...facts,
    verdict,
    exitCode: judgement.exitCode,
    worst: judgement.worst,
    differing,
    closeness,
    sentence: replaySentence(closeness, verdict, differing.length),
  };
}
