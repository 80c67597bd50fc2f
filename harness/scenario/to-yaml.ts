import { Document, isMap } from 'yaml';
import { GLOBAL_TARGET } from '../../src/switch.ts';
import { formatDuration, formatRate } from './quantity.ts';
import type { Anchor, Scenario, TimelineEntry } from './scenario.ts';

/** The scenario as a file that reads back as the equal scenario, every default written out. */
export function scenarioToYaml(scenario: Scenario): string {
  const { fleet, traffic, steadyState, expect } = scenario;
  const { workers, agentsPerWorker, leaseMs, command } = fleet;
  const document = new Document({
    version: scenario.version,
    name: scenario.name,
    description: scenario.description,
    seed: scenario.seed,
    fleet: { workers, agentsPerWorker, lease: formatDuration(leaseMs), ...(command === null ? {} : { command }) },
    traffic: { profile: traffic.profile, effects: formatRate(traffic.effectsPerSecond), tenants: traffic.tenants },
    downstream: scenario.downstream,
    steadyState: { for: formatDuration(steadyState.forMs), effectsPerSecond: steadyState.effectsPerSecond },
    timeline: scenario.timeline.map(writeEntry),
    hold: formatDuration(scenario.holdMs),
    settle: formatDuration(scenario.settleMs),
    expect: {
      timeToStop: {
        connected: formatDuration(expect.timeToStop.connectedMs),
        cut: formatDuration(expect.timeToStop.cutMs),
      },
      effectsAfterBudget: expect.effectsAfterBudget,
      properties: expect.properties,
    },
  });
  for (const key of ['fleet', 'traffic', 'downstream', 'steadyState']) {
    const node: unknown = document.get(key);
    if (isMap(node)) node.flow = true;
  }
  // Quoted, not as a block: a block of nothing but white space loses some of it.
  return document.toString({ lineWidth: 0, blockQuote: false });
}

function writeEntry(entry: TimelineEntry): unknown {
  const moment = writeMoment(entry.when);
  if (entry.kind === 'fault') {
    const { fault, target, plane, forMs } = entry;
    const during = forMs === null ? {} : { for: formatDuration(forMs) };
    return { ...moment, fault: { kind: fault, target, ...(plane === null ? {} : { plane }), ...during } };
  }
  const { scope, target, reason } = entry;
  const on = { scope, ...(scope === 'global' && target === GLOBAL_TARGET ? {} : { target }) };
  if (entry.kind === 'release') return { ...moment, release: { ...on, reason } };
  return { ...moment, flip: { ...on, mode: entry.mode, queue: entry.queue, via: entry.via, reason } };
}

function writeMoment(when: Anchor): { readonly when?: 'exposed'; readonly at?: string } {
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
  }
}
