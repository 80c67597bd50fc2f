import { capabilityMatches, switchMatches } from '../../src/switch.ts';
import type { Subject } from '../../src/switch.ts';
import type { CriticalRules } from '../../src/store/store.ts';

/** Whether a task is of a critical class, by what the scenario declares and not by what the fleet says of it. */
export function isCriticalTask({ classes }: CriticalRules, task: Subject): boolean {
  return classes.some((one) => switchMatches(one, task));
}

export function isCriticalCapability({ capabilities }: CriticalRules, capability: string): boolean {
  return capabilities.some((pattern) => capabilityMatches(pattern, capability));
}
