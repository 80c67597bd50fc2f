import type { ClaimWork } from './claim-work.ts';

/** One run being worked through, within `gate.enter`: the claimed task's own, or that of an attached child within it. */
export interface Turn {
  readonly work: ClaimWork;
  readonly run: string;
  /** Attached children deep; 0 for the task's own run. */
  readonly depth: number;
}
