/** A trace: every run that arrives in a drill, made from a seed before the drill starts (DESIGN §10). */
export const TRACE_VERSION = 1;

export interface TraceHeader {
  readonly version: typeof TRACE_VERSION;
  readonly seed: number;
  /** Name and version of the generator, and every parameter drawn or given, so that the trace can be made again. */
  readonly generator: Readonly<Record<string, unknown>>;
}

/** One planned effect. */
export interface PlanStep {
  readonly capability: string;
  readonly access: 'read' | 'write';
  /** False: a read that needs no intent; it is held by registry and lease alone. */
  readonly journal: boolean;
  /** How long the world takes to serve it. */
  readonly serviceMs: number;
  readonly deadlineMs: number;
}

export interface TraceRun {
  /** Milliseconds after T0. */
  readonly dueMs: number;
  readonly run: string;
  readonly tenant: string;
  readonly feature: string;
  readonly agent: string;
  /** A run that is there to be caught by the stop: its first step is a long held call in scope of the first stop. */
  readonly primed?: true;
  readonly plan: readonly PlanStep[];
}

export interface Trace {
  readonly header: TraceHeader;
  /** In order of `dueMs`. */
  readonly runs: readonly TraceRun[];
}
