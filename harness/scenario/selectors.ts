import type { Scope } from '../../src/switch.ts';

/** What a scenario may name before the trace is made, and the scope in which each makes sense. */
export const SELECTORS: Readonly<Record<string, Scope>> = {
  $busiest: 'tenant',
  $busiestCapability: 'capability',
  $primedRun: 'run',
};

/** Whether a target is to be resolved from the trace. */
export function isSelector(target: string): boolean {
  return target.startsWith('$');
}
