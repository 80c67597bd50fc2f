import type { DrillRecord } from '../drill/drill.ts';

export const VERDICTS = ['pass', 'fail', 'inconclusive', 'not_applicable', 'error'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What a checker says. `reason` is one plain sentence; `evidence` is the smallest thing that shows it (the effect, when, by whom, under which flip). */
export interface Finding {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What of killdrill's own store a property cannot be decided without. */
export type Instrument = 'journal' | 'queue' | 'record' | 'alerts' | 'store';

/** One property: a named claim decided from a drill's record, and from nothing else. */
export interface Checker {
  readonly name: string;
  /** One sentence: what holds when it passes. For the generated reference. */
  readonly claim: string;
  /** What of the store it needs besides the witness; without it, the witness alone decides. */
  readonly needs?: Instrument;
  /** Of a fleet that lacks it: what the witness sees of the property all the same; null for nothing. */
  readonly seen?: (record: DrillRecord) => Finding | null;
  check(record: DrillRecord): Finding;
}
