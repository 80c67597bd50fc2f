import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { Anchor, Scenario, TimelineEntry } from './scenario.ts';
import type { ReadScenario } from './schema.ts';
import type { ReadEntry } from './timeline-schema.ts';

/** Fills in what a read scenario left open: everything is required from here on. */
export function resolveScenario(read: ReadScenario): Scenario {
  const { fleet, traffic, steadyState, expect } = read;
  return {
    version: 1,
    name: read.name,
    description: read.description,
    seed: read.seed,
    fleet: {
      workers: fleet.workers,
      agentsPerWorker: fleet.agentsPerWorker,
      leaseMs: fleet.lease,
      command: fleet.command ?? null,
    },
    traffic: { profile: traffic.profile, effectsPerSecond: traffic.effects, tenants: traffic.tenants },
    downstream: read.downstream,
    steadyState: {
      forMs: steadyState.for,
      // Half of what is sent: a fleet that does less is not in a steady state.
      effectsPerSecond: { min: steadyState.effectsPerSecond?.min ?? traffic.effects / 2 },
    },
    timeline: read.timeline.map((entry) => resolveEntry(entry, read.name)),
    holdMs: read.hold,
    settleMs: read.settle,
    expect: {
      timeToStop: { connectedMs: expect.timeToStop.connected, cutMs: expect.timeToStop.cut },
      effectsAfterBudget: expect.effectsAfterBudget,
      properties: expect.properties,
    },
  };
}

function resolveEntry(entry: ReadEntry, name: string): TimelineEntry {
  const when = anchorOf(entry);
  if ('fault' in entry) {
    const { kind, target, plane, for: forMs } = entry.fault;
    return { kind: 'fault', when, fault: kind, target, plane: plane ?? null, forMs: forMs ?? null };
  }
  if ('release' in entry) {
    const { scope, target = GLOBAL_TARGET, reason = `end of the stop in drill ${name}` } = entry.release;
    return { kind: 'release', when, scope, target, reason };
  }
  const { scope, target = GLOBAL_TARGET, mode, queue, via, reason = `drill ${name}` } = entry.flip;
  return { kind: 'flip', when, scope, target, mode, queue, via, reason };
}

/** An entry that says nothing comes right after the one before. */
export function anchorOf(entry: ReadEntry): Anchor {
  if (entry.when !== undefined) return { kind: 'exposed' };
  return entry.at ?? { kind: 'previous', offsetMs: 0 };
}
