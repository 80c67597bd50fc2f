import type { DrillIndex } from '../../checkers/index-of.ts';
import type { Judgement } from '../../checkers/verdict-file.ts';
import type { DrillRecord } from '../../drill/drill.ts';
import type { EnvironmentFile } from '../../bundle/environment-file.ts';

/** What a report is made from, and nothing else: the same bundle gives the same bytes. */
export interface ReportInput {
  readonly record: DrillRecord;
  readonly judgement: Judgement;
  /** Where it ran; null when the bundle does not say. */
  readonly environment: EnvironmentFile | null;
}

/** The same with the record looked up; the index is null when the record is too broken for one. */
export interface IndexedInput extends ReportInput {
  readonly index: DrillIndex | null;
}
