import type { Scope, StopMode } from '../switch.ts';

/** What a detector asks for; whoever takes it adds id, times and signature, and publishes it (`src/alerts/`). */
export interface AlertDraft {
  readonly detector: string;
  readonly scope: Scope;
  readonly target: string;
  readonly mode: StopMode;
  readonly reason: string;
  readonly evidence: Evidence;
}

/** What was measured, and what it was held against. */
export interface Evidence {
  readonly metric: string;
  readonly value: number;
  readonly threshold: number;
}

/** Where drafts go. */
export interface AlertPort {
  /** Resolves once the alert is on its way for good. One that rejects, or never answers, is raised again while it holds. */
  raise(draft: AlertDraft): Promise<void>;
}
