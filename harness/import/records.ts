import type { Scope, StopMode } from '../../src/switch.ts';

/** A flip as an incident's record has it. */
export interface FlipRecord {
  readonly line: number;
  readonly id: string;
  readonly kind: 'stop' | 'release';
  readonly scope: Scope;
  readonly target: string;
  readonly mode: StopMode;
  readonly reason: string | null;
  /** The alert that asked for it; null for none, or none that is known. */
  readonly alert: string | null;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** An alert as an incident's record has it. */
export interface AlertRecord {
  readonly id: string;
  readonly atMs: number;
}

/** An effect as an incident's record has it. */
export interface EffectRecord {
  readonly line: number;
  readonly id: string | null;
  readonly run: string;
  readonly tenant: string;
  readonly feature: string | null;
  readonly agent: string | null;
  readonly capability: string;
  readonly access: 'read' | 'write' | null;
  readonly atMs: number;
  /** How long it took; null when the record does not say. */
  readonly tookMs: number | null;
  /** The switch refused it: it never left. */
  readonly blocked: boolean;
  /** The run that started this run; null for none. */
  readonly parent: string | null;
  /** The flip that refused it. */
  readonly flip: string | null;
}
