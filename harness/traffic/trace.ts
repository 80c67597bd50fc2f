/** A trace: every run that arrives in a drill, made from a seed before the drill starts (DESIGN §10). */
export const TRACE_VERSION = 2;

export interface TraceHeader {
  readonly version: typeof TRACE_VERSION;
  readonly seed: number;
  /** Name and version of the generator, and every parameter drawn or given, so that the trace can be made again. */
  readonly generator: Readonly<Record<string, unknown>>;
}

/**
 * How a step leaves its run. `call`: in the run's own turn. `stream`: the same, answered in pieces. `webhook`: through the
 * outbox, a task of its own. `timer`: a task of its own, due `delayMs` after the step was reached. `spawn`: the world is asked
 * for a child run, which becomes a task of its own, or runs within its parent when `attached`.
 */
export const STEP_KINDS = ['call', 'stream', 'webhook', 'timer', 'spawn'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** One planned effect. */
export interface PlanStep {
  /** Absent: `call`. */
  readonly kind?: StepKind;
  readonly capability: string;
  readonly access: 'read' | 'write';
  /** False: a read that needs no intent; it is held by registry and lease alone. */
  readonly journal: boolean;
  /** How long the world takes to serve it. */
  readonly serviceMs: number;
  readonly deadlineMs: number;
  /** The downstream refuses so many first attempts of it; its agent tries again, `delayMs` after each. Absent: none. */
  readonly refusals?: number;
  /** Of a timer: when it fires. Of a step that is refused: how long its agent waits before the next attempt. */
  readonly delayMs?: number;
  /** Of a spawn: the child's run id. It is in the trace, as a run with a `parent`. */
  readonly child?: string;
  /** Of a spawn: the parent waits for the child, which runs in its process. */
  readonly attached?: true;
  /** It may be sent again although nobody knows whether it landed. */
  readonly idempotent?: true;
}

/** Capability of a step that starts a child run. */
export const SPAWN_CAPABILITY = 'agent/spawn';

export interface TraceRun {
  /** Milliseconds after T0. */
  readonly dueMs: number;
  readonly run: string;
  readonly tenant: string;
  readonly feature: string;
  readonly agent: string;
  /** It, or what it starts, is there to be caught by the first stop: by a held call (served for longer than any ordinary one), or by what falls due in the hold. */
  readonly primed?: true;
  /** The step that starts it; absent for a run that arrives by itself. Its `dueMs` is then its parent's, and nobody hands it out. */
  readonly parent?: { readonly run: string; readonly step: number };
  /** Ancestors, oldest first; absent for none. */
  readonly lineage?: readonly string[];
  /** It is handed out at once and is to be queued for so much later. */
  readonly startAfterMs?: number;
  /** It never arrives: the harness plants it into the queue behind a stop's back, and no effect of it may ever land while that stop is on. */
  readonly probe?: true;
  /** It does not arrive by itself: the conductor lets it loose, for the fleet's detectors to notice. Every effect of it is a bad one. */
  readonly runaway?: true;
  readonly plan: readonly PlanStep[];
}

export interface Trace {
  readonly header: TraceHeader;
  /** In order of `dueMs`, each parent before its children; probes and runaways come with `dueMs` 0. */
  readonly runs: readonly TraceRun[];
}
