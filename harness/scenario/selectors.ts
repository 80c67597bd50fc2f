import type { Scope } from '../../src/switch.ts';

/** What a scenario may name before the trace is made, and the scope in which each makes sense. */
export const SELECTORS: Readonly<Record<string, Scope>> = {
  $busiest: 'tenant',
  $busiestCapability: 'capability',
  $busiestFeature: 'feature',
  $busiestAgent: 'agent',
  $primedRun: 'run',
};

/** Whether a target is to be resolved from the trace. */
export function isSelector(target: string): boolean {
  return target.startsWith('$');
}

/** The scope in which a selector makes sense; null for a selector that there is not. */
export function scopeOfSelector(target: string): Scope | null {
  return Object.hasOwn(SELECTORS, target) ? (SELECTORS[target] ?? null) : null;
}
