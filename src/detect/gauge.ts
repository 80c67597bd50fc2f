import type { Actor } from '../actor.ts';
import { GLOBAL_TARGET } from '../switch.ts';
import type { Scope } from '../switch.ts';
import type { Observation } from './observation.ts';

/** Which series an observation belongs to, and what it adds to it. */
export interface Sample {
  /** One of many that a rule watches: a tenant, a call of a run, … */
  readonly key: string;
  /** The switch's target, should it come to a stop. */
  readonly target: string;
  readonly amount: number;
  /** Names the series for a person: `tenant acme`. */
  readonly what: string;
}

/** The readings of one series. */
export interface Level {
  add(nowMs: number, amount: number): void;
  /** Null while there is too little to say anything. */
  read(nowMs: number): number | null;
}

/** One rule at work, without its state. */
export interface Gauge {
  /** Null when the rule is not about it, or it has no target in the rule's scope. */
  sample(observation: Observation): Sample | null;
  makeLevel(): Level;
  readonly threshold: number;
  isRed(value: number): boolean;
  /** What is red, for the one who reads the alert. */
  reason(what: string, value: number): string;
}

/** The name of an actor in a scope; null when it has none there. A capability is no part of an actor. */
export function targetIn(scope: Exclude<Scope, 'capability'>, actor: Actor): string | null {
  return scope === 'global' ? GLOBAL_TARGET : actor[scope];
}

/** A figure for a sentence: short, and no rounder than it needs to be. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(6)));
}
