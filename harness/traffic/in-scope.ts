import { capabilityMatches, switchMatches } from '../../src/switch.ts';
import type { Switch } from '../../src/switch.ts';
import { CAPABILITIES, CAPABILITY_NAMES } from './capabilities.ts';
import type { Capability } from './capabilities.ts';
import type { TraceRun } from './trace.ts';

/** Whether a run plans at least one effect that the switch covers. */
export function planIsInScope(on: Switch, { tenant, feature, agent, run, plan }: TraceRun): boolean {
  return plan.some(({ capability }) => switchMatches(on, { tenant, feature, agent, run, lineage: [], capability }));
}

/** The run with its names changed so that its first effect is in scope of the switch. Its id stays. */
export function movedIntoScope(on: Switch, run: TraceRun): TraceRun {
  const [first, ...rest] = run.plan;
  switch (on.scope) {
    case 'tenant':
      return { ...run, tenant: on.target };
    case 'feature':
      return { ...run, feature: on.target };
    case 'agent':
      return { ...run, agent: on.target };
    case 'capability': {
      if (first === undefined) return run;
      const capability = coveredCapability(on.target);
      return { ...run, plan: [{ ...first, capability, access: CAPABILITIES[capability], journal: true }, ...rest] };
    }
    case 'global':
    case 'run':
      return run;
  }
}

/** The first capability of the mix that a capability switch's target covers. */
export function coveredCapability(target: string): Capability {
  return CAPABILITY_NAMES.find((name) => capabilityMatches(target, name)) ?? 'model/chat';
}
