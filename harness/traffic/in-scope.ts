import { capabilityMatches, switchMatches } from '../../src/switch.ts';
import type { Subject, Switch } from '../../src/switch.ts';
import { CAPABILITIES, CAPABILITY_NAMES } from './capabilities.ts';
import type { Capability } from './capabilities.ts';
import type { TraceRun } from './trace.ts';

/** Who a run is to a switch, by the trace's word. */
export function subjectOf({ tenant, feature, agent, run, lineage = [] }: TraceRun, capability: string | null): Subject {
  return { tenant, feature, agent, run, lineage, capability };
}

/** Whether a run plans at least one effect that the switch covers. */
export function planIsInScope(on: Switch, run: TraceRun): boolean {
  return run.plan.some(({ capability }) => switchMatches(on, subjectOf(run, capability)));
}

/**
 * The run with its names changed so that its first effect is in scope of the switch. Its id stays. A run cannot be moved into
 * a scope that covers nothing but spawns.
 */
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
      const capability = coveredCapability(on.target);
      if (first === undefined || first.child !== undefined || capability === 'agent/spawn') return run;
      const { serviceMs, deadlineMs } = first;
      const call = { capability, access: CAPABILITIES[capability], journal: true, serviceMs, deadlineMs };
      return { ...run, plan: [call, ...rest] };
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
