import { Document, isMap } from 'yaml';
import type { CriticalRules } from '../../src/store/store.ts';
import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { Switch } from '../../src/switch.ts';
import { formatDuration, formatOffset, formatRate } from './quantity.ts';
import type {
  Anchor,
  DetectorsSpec,
  FaultEntry,
  FlipEntry,
  LeversSpec,
  ResumeEntry,
  Scenario,
  TimelineEntry,
  TrafficSpec,
} from './scenario.ts';
import { isSelector } from './selectors.ts';
import { writeSwitch } from './switch-text.ts';

/** The scenario as a file that reads back as the equal scenario, every default written out. */
export function scenarioToYaml(scenario: Scenario): string {
  const { fleet, traffic, steadyState, expect } = scenario;
  const document = new Document({
    version: scenario.version,
    name: scenario.name,
    description: scenario.description,
    seed: scenario.seed,
    fleet: writeFleet(fleet),
    ...(fleet.contract === null ? {} : { contract: fleet.contract }),
    traffic: writeTraffic(traffic),
    downstream: scenario.downstream,
    steadyState: { for: formatDuration(steadyState.forMs), effectsPerSecond: steadyState.effectsPerSecond },
    timeline: scenario.timeline.map((entry) => writeEntry(entry, fleet.levers === null)),
    hold: formatDuration(scenario.holdMs),
    settle: formatDuration(scenario.settleMs),
    expect: {
      timeToStop: {
        connected: formatDuration(expect.timeToStop.connectedMs),
        cut: formatDuration(expect.timeToStop.cutMs),
      },
      ...(expect.alertToStopMs === null ? {} : { alertToStop: formatDuration(expect.alertToStopMs) }),
      ...(expect.firstBadCallToStopMs === null
        ? {}
        : { firstBadCallToStop: formatDuration(expect.firstBadCallToStopMs) }),
      effectsAfterBudget: expect.effectsAfterBudget,
      properties: expect.properties,
    },
  });
  for (const key of ['fleet', 'contract', 'traffic', 'downstream', 'steadyState']) {
    const node: unknown = document.get(key);
    if (isMap(node)) node.flow = true;
  }
  // Quoted, not as a block: a block of nothing but white space loses some of it.
  return document.toString({ lineWidth: 0, blockQuote: false });
}

function writeTraffic(traffic: TrafficSpec): unknown {
  if (traffic.kind === 'given') return { trace: traffic.file, primed: traffic.primed };
  return { profile: traffic.profile, effects: formatRate(traffic.effectsPerSecond), tenants: traffic.tenants };
}

function writeFleet(fleet: Scenario['fleet']): unknown {
  const { workers, agentsPerWorker, executors, detectors, leaseMs, command, levers, deafTools, critical } = fleet;
  const isCritical = critical.capabilities.length > 0 || critical.classes.length > 0;
  return {
    workers,
    agentsPerWorker,
    ...(executors === 0 ? {} : { executors }),
    ...(detectors === null ? {} : { detectors: writeDetectors(detectors) }),
    lease: formatDuration(leaseMs),
    ...(command === null ? {} : { command }),
    ...(levers === null ? {} : { levers: writeLevers(levers) }),
    ...(deafTools.length === 0 ? {} : { deafTools }),
    ...(isCritical ? { critical: writeCritical(critical) } : {}),
  };
}

function writeLevers({ withinMs, stop, release, status }: LeversSpec): unknown {
  const write = (lever: LeversSpec['stop']): unknown => (lever.kind === 'url' ? lever.url : lever.words);
  const asked = status === null ? {} : { status: write(status) };
  return { stop: write(stop), release: write(release), ...asked, within: formatDuration(withinMs) };
}

function writeDetectors({ writeRate: { windowMs, ...rule } }: DetectorsSpec): unknown {
  return { writeRate: { ...rule, window: formatDuration(windowMs) } };
}

function writeCritical({ capabilities, classes }: CriticalRules): unknown {
  const byName: Record<string, string[]> = {};
  for (const { name, ...on } of classes) (byName[name] ??= []).push(writeSwitch(on));
  return { capabilities, classes: byName };
}

/** `hasPaths`: a stop can go by one of several ways, which a fleet's own switch has not. */
function writeEntry(entry: TimelineEntry, hasPaths: boolean): unknown {
  const moment = writeMoment(entry.when);
  switch (entry.kind) {
    case 'flip': {
      const { mode, queue, drainMs, via, runawayPerSecond, reason } = entry;
      const drain = drainMs === null ? {} : { drainFor: formatDuration(drainMs) };
      const path = hasPaths ? { via } : {};
      const runaway = runawayPerSecond === null ? {} : { runaway: formatRate(runawayPerSecond) };
      // The detector that asks for a stop gives its own reason.
      const why = via === 'detector' ? {} : { reason };
      return {
        ...moment,
        flip: { ...onOf(entry), mode, queue, ...drain, ...path, ...runaway, ...writeWait(entry), ...why },
      };
    }
    case 'release':
      return {
        ...moment,
        release: {
          ...onOf(entry),
          expect: entry.expect,
          ...(hasPaths ? { via: entry.via } : {}),
          reason: entry.reason,
        },
      };
    case 'resume':
      return { ...moment, resume: writeResume(entry) };
    case 'contract':
      return { ...moment, contract: entry.contract };
    case 'compensate': {
      const { capability, atMost, twice } = entry;
      return { ...moment, compensate: { ...onOf(entry), capability, atMost, twice } };
    }
    case 'alerts': {
      const { count, targets, poison, again, stale, overMs } = entry;
      const over = overMs === 0 ? {} : { over: formatDuration(overMs) };
      return { ...moment, alerts: { count, targets, poison, again, stale, ...over } };
    }
    case 'forge':
      return { ...moment, forge: onOf(entry) };
    case 'fault':
      return { ...moment, fault: writeFault(entry) };
    default:
      throw new TypeError(`unknown entry ${JSON.stringify(entry satisfies never)}`);
  }
}

function writeFault(entry: FaultEntry): unknown {
  const { fault, target, plane, direction, delayMs, bytesPerSecond, offsetMs, forMs } = entry;
  return {
    kind: fault,
    target,
    ...(plane === null ? {} : { plane }),
    ...(direction === null ? {} : { direction }),
    ...(delayMs === null ? {} : { delay: formatDuration(delayMs) }),
    ...(bytesPerSecond === null ? {} : { bytes: formatRate(bytesPerSecond) }),
    ...(offsetMs === null ? {} : { offset: formatOffset(offsetMs) }),
    ...(forMs === null ? {} : { for: formatDuration(forMs) }),
  };
}

function onOf({ scope, target }: Switch): Partial<Switch> {
  return { scope, ...(scope === 'global' && target === GLOBAL_TARGET ? {} : { target }) };
}

function writeResume({ which, staging }: ResumeEntry): unknown {
  const what =
    which.kind === 'tenant' ? { tenant: which.tenant } : which.kind === 'runs' ? { runs: which.runs } : { all: true };
  if (staging.kind === 'rate') return { ...what, rate: formatRate(staging.tasksPerSecond) };
  return staging.kind === 'tenants' ? { ...what, tenantsEvery: formatDuration(staging.everyMs) } : what;
}

function writeMoment(when: Anchor): { readonly when?: 'exposed'; readonly at?: string; readonly after?: string } {
  switch (when.kind) {
    case 'exposed':
      return { when: 'exposed' };
    case 'flip-hold':
      return { at: 'flip+hold' };
    case 'start':
      return { at: formatDuration(when.offsetMs) };
    case 'previous':
      return { at: `+${formatDuration(when.offsetMs)}` };
    case 'flip':
      return { at: `flip+${formatDuration(when.offsetMs)}` };
    case 'effect':
      return { after: `effect ${when.count} of ${isSelector(when.target) ? when.target : writeSwitch(when)}` };
  }
}

function writeWait({ wait, effectiveWithinMs }: FlipEntry): Readonly<Record<string, string>> {
  if (!wait) return { wait: 'nothing' };
  return effectiveWithinMs === null ? {} : { wait: 'effective', waitFor: formatDuration(effectiveWithinMs) };
}
