import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { CriticalRules, ResumeStaging, ResumeWhich } from '../../src/store/store.ts';
import type { Trace } from '../traffic/trace.ts';
import { takesKey } from './fault-meaning.ts';
import { steadyPerSecond } from './given-figures.ts';
import type { Anchor, DetectorsSpec, Lever, LeversSpec, Scenario, TimelineEntry, TrafficSpec } from './scenario.ts';
import type { ReadScenario } from './schema.ts';
import type { ReadEntry } from './timeline-schema.ts';

/** How long a timeline waits for a stop to be effective, when it does not say. */
const EFFECTIVE_MS = 30_000;

/**
 * Fills in what a read scenario left open: everything is required from here on.
 *
 * @param given the trace that it names; null for drawn traffic
 */
export function resolveScenario(read: ReadScenario, given: Trace | null): Scenario {
  const { fleet, steadyState, expect } = read;
  const traffic = resolveTraffic(read.traffic, given);
  return {
    version: 1,
    name: read.name,
    description: read.description,
    seed: read.seed,
    fleet: {
      workers: fleet.workers,
      agentsPerWorker: fleet.agentsPerWorker,
      executors: fleet.executors,
      detectors: resolveDetectors(fleet.detectors),
      leaseMs: fleet.lease,
      command: fleet.command ?? null,
      levers: resolveLevers(fleet.levers),
      deafTools: fleet.deafTools,
      critical: resolveCritical(fleet.critical),
      contract: read.contract ?? null,
    },
    traffic,
    downstream: read.downstream,
    steadyState: {
      forMs: steadyState.for,
      // Half of what is sent: a fleet that does less is not in a steady state.
      effectsPerSecond: { min: steadyState.effectsPerSecond?.min ?? sentPerSecond(traffic, steadyState.for) / 2 },
    },
    timeline: read.timeline.map((entry) => resolveEntry(entry, read.name)),
    holdMs: read.hold,
    settleMs: read.settle,
    expect: {
      timeToStop: { connectedMs: expect.timeToStop.connected, cutMs: expect.timeToStop.cut },
      alertToStopMs: expect.alertToStop ?? null,
      firstBadCallToStopMs: expect.firstBadCallToStop ?? null,
      effectsAfterBudget: expect.effectsAfterBudget,
      properties: expect.properties,
    },
  };
}

function resolveTraffic(read: ReadScenario['traffic'], given: Trace | null): TrafficSpec {
  if (!('trace' in read)) {
    return { kind: 'drawn', profile: read.profile, effectsPerSecond: read.effects, tenants: read.tenants };
  }
  if (given === null) throw new TypeError(`the trace ${read.trace} was not read`);
  return { kind: 'given', file: read.trace, primed: read.primed, trace: given };
}

function sentPerSecond(traffic: TrafficSpec, forMs: number): number {
  return traffic.kind === 'drawn' ? traffic.effectsPerSecond : Math.floor(steadyPerSecond(traffic.trace.runs, forMs));
}

/** In the order of the file: a task is of the first class that covers it. */
function resolveCritical({ capabilities, classes }: ReadScenario['fleet']['critical']): CriticalRules {
  const rows = Object.entries(classes).flatMap(([name, switches]) => switches.map((on) => ({ name, ...on })));
  return { capabilities, classes: rows };
}

function resolveDetectors(read: ReadScenario['fleet']['detectors']): DetectorsSpec | null {
  if (read === undefined) return null;
  const { per, perSecond, window } = read.writeRate;
  return { writeRate: { per, perSecond, windowMs: window } };
}

function resolveLevers(read: ReadScenario['fleet']['levers']): LeversSpec | null {
  if (read === undefined) return null;
  const { stop, release, status, within } = read;
  const asked = status === undefined ? null : resolveLever(status);
  return { stop: resolveLever(stop), release: resolveLever(release), status: asked, withinMs: within };
}

function resolveLever(read: string | readonly string[]): Lever {
  return typeof read === 'string' ? { kind: 'url', url: read } : { kind: 'command', words: read };
}

function resolveEntry(entry: ReadEntry, name: string): TimelineEntry {
  const when = anchorOf(entry);
  if ('flip' in entry) {
    const { scope, target = GLOBAL_TARGET, mode, queue, drainFor, via, runaway, reason = `drill ${name}` } = entry.flip;
    const { wait, waitFor = EFFECTIVE_MS } = entry.flip;
    const waits = { wait: wait !== 'nothing', effectiveWithinMs: wait === 'effective' ? waitFor : null };
    const how = { queue, drainMs: drainFor ?? null, via, runawayPerSecond: runaway ?? null, ...waits };
    return { kind: 'flip', when, scope, target, mode, ...how, reason };
  }
  if ('release' in entry) {
    const { scope, target = GLOBAL_TARGET, expect, via, reason = `end of the stop in drill ${name}` } = entry.release;
    return { kind: 'release', when, scope, target, expect, via, reason };
  }
  if ('resume' in entry) {
    return { kind: 'resume', when, which: resolveWhich(entry.resume), staging: resolveStaging(entry.resume) };
  }
  if ('contract' in entry) return { kind: 'contract', when, contract: entry.contract };
  if ('compensate' in entry) {
    const { scope, target = GLOBAL_TARGET, capability, atMost, twice } = entry.compensate;
    return { kind: 'compensate', when, scope, target, capability, atMost, twice };
  }
  if ('alerts' in entry) {
    const { over, ...counts } = entry.alerts;
    return { kind: 'alerts', when, ...counts, overMs: over ?? 0 };
  }
  if ('forge' in entry) {
    const { scope, target = GLOBAL_TARGET } = entry.forge;
    return { kind: 'forge', when, scope, target };
  }
  return { kind: 'fault', when, ...resolveFault(entry.fault) };
}

type ReadFault = Extract<ReadEntry, { readonly fault: unknown }>['fault'];

function resolveFault({ kind, target, plane, direction, delay, bytes, offset, for: forMs }: ReadFault) {
  return {
    fault: kind,
    target,
    plane: plane ?? null,
    direction: takesKey(kind, 'direction') ? (direction ?? 'both') : null,
    delayMs: delay ?? null,
    bytesPerSecond: bytes ?? null,
    offsetMs: offset ?? null,
    forMs: forMs ?? null,
  };
}

type ReadResume = Extract<ReadEntry, { readonly resume: unknown }>['resume'];

function resolveWhich({ tenant, runs }: ReadResume): ResumeWhich {
  if (tenant !== undefined) return { kind: 'tenant', tenant };
  return runs === undefined ? { kind: 'all' } : { kind: 'runs', runs };
}

function resolveStaging({ rate, tenantsEvery }: ReadResume): ResumeStaging {
  if (rate !== undefined) return { kind: 'rate', tasksPerSecond: rate };
  return tenantsEvery === undefined ? { kind: 'at-once' } : { kind: 'tenants', everyMs: tenantsEvery };
}

/** An entry that says nothing comes right after the one before. */
export function anchorOf(entry: ReadEntry): Anchor {
  if (entry.when !== undefined) return { kind: 'exposed' };
  return entry.at ?? entry.after ?? { kind: 'previous', offsetMs: 0 };
}
