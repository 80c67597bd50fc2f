import type { Scope, StopMode } from '../switch.ts';

interface RuleBase {
  /** Names the metric in alerts, for example `writes-per-tenant`. */
  readonly name: string;
  readonly mode: StopMode;
  /** How far back it looks, milliseconds. */
  readonly windowMs: number;
}

/** Too many writes in a time. */
export interface WriteRateRule extends RuleBase {
  readonly kind: 'write-rate';
  readonly per: 'tenant' | 'capability' | 'agent' | 'run' | 'feature';
  /** Capabilities that count, as in a capability switch; empty for all. */
  readonly capabilities: readonly string[];
  /** Counts each capability by itself; the stop is still of the tenant, agent or whatever `per` says. */
  readonly eachCapability: boolean;
  /** Red at this rate, averaged over the window. */
  readonly perSecond: number;
}

/** A guardrail's readings are too high, or too low. */
export interface GuardrailRule extends RuleBase {
  readonly kind: 'guardrail';
  readonly per: 'global' | 'tenant' | 'feature' | 'agent' | 'run';
  readonly metric: string;
  /** `mean` of the window, or its `worst` reading. */
  readonly judge: 'mean' | 'worst';
  /** Fewer readings than this in the window say nothing. */
  readonly minReadings: number;
  readonly bound: { readonly kind: 'at-least' | 'at-most'; readonly value: number };
}

/** Too much is spent in a time. */
export interface CostRule extends RuleBase {
  readonly kind: 'cost';
  readonly per: 'run' | 'tenant' | 'agent' | 'feature' | 'global';
  /** Red at this amount within the window. */
  readonly amount: number;
}

/** The same capability with the same arguments, again and again. */
export interface LoopRule extends RuleBase {
  readonly kind: 'loop';
  readonly per: 'run' | 'agent' | 'tenant';
  /** Red at this many of the same call within the window. */
  readonly times: number;
}

export type DetectorRule = WriteRateRule | GuardrailRule | CostRule | LoopRule;

/** Detectors as they are configured, complete. */
export interface DetectorConfig {
  /** Its name in alerts. */
  readonly detector: string;
  /** No rule may ask for a stop of a wider scope than this. */
  readonly widestScope: Scope;
  /** What holds is raised again so often, milliseconds. */
  readonly repeatMs: number;
  /** Each rule watches at most so many tenants, runs, calls, …; beyond, it forgets the one that it has heard of least lately. */
  readonly maxSeries: number;
  /** One reason is enough: each rule raises by itself. */
  readonly rules: readonly DetectorRule[];
}
