import type { RunContract } from '../../src/store/store.ts';
import type { Complaint } from './complaint.ts';
import { detectorFigures } from './detector-figures.ts';
import { drillEndMs, plannedEffects } from './drill-end.ts';
import { describeFound } from './found.ts';
import type { DrilledFleet } from './fault-meaning.ts';
import { givenFigures } from './given-figures.ts';
import type { KnownNames } from './known-names.ts';
import { leverEntryMeaning, ownFleetMeaning } from './levers-meaning.ts';
import { LIMITS } from './limits.ts';
import { nearest } from './nearest.ts';
import { formatDuration, formatRate } from './quantity.ts';
import type { DrawnTraffic, Scenario } from './scenario.ts';
import { scenarioSchema } from './schema.ts';
import { entryMeaning } from './entry-meaning.ts';
import { capabilityMeaning, namedMeaning } from './target-meaning.ts';
import { timelineMeaning } from './timeline-meaning.ts';
import { entrySchema } from './timeline-schema.ts';
import type { ReadEntry } from './timeline-schema.ts';

/**
 * What is wrong with a scenario beyond the shape of its values. It reads each part on its own, so that one bad value
 * elsewhere hides nothing.
 *
 * @param known the names that its traffic has
 */
export function meaningComplaints(
  value: unknown,
  properties: readonly string[],
  known: KnownNames,
): readonly Complaint[] {
  if (typeof value !== 'object' || value === null) return [];
  const raw = value as Readonly<Partial<Record<'fleet' | 'contract' | 'timeline' | 'expect', unknown>>>;
  return [
    ...criticalComplaints(raw.fleet, known),
    ...ownFleetComplaints(raw.fleet, raw.contract),
    ...timelineComplaints(
      raw.timeline,
      { fleet: fleetOf(raw.fleet), known, hasLevers: hasLevers(raw.fleet) },
      contractOf(raw.contract),
    ),
    ...propertyComplaints(raw.expect, properties),
  ];
}

function fleetOf(fleet: unknown): DrilledFleet {
  const read = scenarioSchema.shape.fleet.safeParse(fleet);
  // Of a fleet that cannot be read nothing is held against its faults.
  if (!read.success) return { workers: null, executors: null, simulated: true, detects: undefined };
  const { workers, executors, command, detectors } = read.data;
  return { workers, executors, simulated: command === undefined, detects: detectors?.writeRate.per ?? null };
}

function hasLevers(fleet: unknown): boolean {
  const read = scenarioSchema.shape.fleet.safeParse(fleet);
  return read.success && read.data.levers !== undefined;
}

/** Undefined when it cannot be read. */
function contractOf(contract: unknown): RunContract | null | undefined {
  const read = scenarioSchema.shape.contract.safeParse(contract);
  return read.success ? (read.data ?? null) : undefined;
}

/** A class may well cover nobody of a given trace; a capability that nobody calls is a mistake. */
function criticalComplaints(fleet: unknown, { capability }: KnownNames): readonly Complaint[] {
  const known = capability === undefined ? {} : { capability };
  const read = scenarioSchema.shape.fleet.safeParse(fleet);
  if (!read.success) return [];
  const { capabilities, classes } = read.data.critical;
  const path = ['fleet', 'critical'];
  const covering = Object.entries(classes).flatMap(([name, switches]) =>
    switches.map((on, index) => ({ at: [...path, 'classes', name, index], on })),
  );
  return [
    ...capabilities.flatMap((name, index) => capabilityMeaning([...path, 'capabilities', index], name, known)),
    ...covering.flatMap(({ at, on }) => (on.scope === 'global' ? [] : namedMeaning(at, on.scope, on.target, known))),
  ];
}

function ownFleetComplaints(fleet: unknown, contract: unknown): readonly Complaint[] {
  const read = scenarioSchema.shape.fleet.safeParse(fleet);
  if (!read.success) return [];
  const complaints = ownFleetMeaning(read.data);
  if (read.data.levers === undefined || contract === undefined) return complaints;
  const expected = 'a fleet that uses the store of killdrill, where it is declared';
  const fix = 'remove it, or fleet.levers';
  return [...complaints, { path: ['contract'], aboutKey: true, found: 'a contract with fleet.levers', expected, fix }];
}

function timelineComplaints(
  timeline: unknown,
  {
    fleet,
    known,
    hasLevers: isOwn,
  }: { readonly fleet: DrilledFleet; readonly known: KnownNames; readonly hasLevers: boolean },
  contract: RunContract | null | undefined,
): readonly Complaint[] {
  if (!Array.isArray(timeline) || timeline.length > LIMITS.timelineEntries.max) return [];
  const entries: ReadEntry[] = [];
  const complaints = timeline.flatMap((entry, index) => {
    const read = entrySchema.safeParse(entry);
    if (!read.success) return [];
    entries.push(read.data);
    const withLevers = isOwn ? leverEntryMeaning(read.data) : [];
    return [...entryMeaning(read.data, fleet, known), ...withLevers].map((one) => ({
      ...one,
      path: ['timeline', index, ...one.path],
    }));
  });
  // How entries fit each other is said once each of them can be read.
  return entries.length === timeline.length ? [...complaints, ...timelineMeaning(entries, contract)] : complaints;
}

function propertyComplaints(expect: unknown, known: readonly string[]): readonly Complaint[] {
  const names = (expect as { readonly properties?: unknown } | null | undefined)?.properties;
  if (!Array.isArray(names)) return [];
  return names.flatMap((name: unknown, index): readonly Complaint[] => {
    const path = ['expect', 'properties', index];
    if (typeof name !== 'string') return [];
    if (names.indexOf(name) !== index) {
      return [{ path, found: `'${name}' once more`, expected: 'each property once', fix: 'remove it' }];
    }
    if (known.includes(name)) return [];
    const meant = nearest(name, known);
    const fix = meant === null ? 'remove it' : `did you mean '${meant}'?`;
    return [{ path, found: describeFound(name), expected: `one of ${known.join(', ')}`, fix }];
  });
}

/** What is wrong with the figures of a resolved scenario, taken together. */
export function figureComplaints(scenario: Scenario): readonly Complaint[] {
  const { traffic } = scenario;
  const ofTraffic = traffic.kind === 'given' ? givenFigures(scenario, traffic) : drawnFigures(scenario, traffic);
  return [...ofTraffic, ...detectorFigures(scenario)];
}

function drawnFigures(scenario: Scenario, traffic: DrawnTraffic): readonly Complaint[] {
  const { effectsPerSecond } = traffic;
  const complaints: Complaint[] = [];
  const { min } = scenario.steadyState.effectsPerSecond;
  // Without traffic the drill is inconclusive, and says so itself.
  if (effectsPerSecond > 0 && min > effectsPerSecond) {
    complaints.push({
      path: ['steadyState', 'effectsPerSecond', 'min'],
      found: String(min),
      expected: `at most what traffic.effects sends, ${formatRate(effectsPerSecond)}`,
      fix: 'lower it, or raise traffic.effects',
    });
  }
  const effects = plannedEffects(scenario, traffic);
  for (const [index, { when }] of scenario.timeline.entries()) {
    if (when.kind !== 'effect' || effects === 0 || when.count <= effects) continue;
    const expected = `at most ${effects}, which is all that the traffic plans`;
    const fix = 'lower it, or raise traffic.effects';
    complaints.push({ path: ['timeline', index, 'after'], found: `effect ${when.count}`, expected, fix });
  }
  if (effects > LIMITS.traceEffects) {
    complaints.push({
      path: ['traffic', 'effects'],
      found: `${effects} effects in a drill of up to ${formatDuration(drillEndMs(scenario))}`,
      expected: `at most ${LIMITS.traceEffects}`,
      fix: 'lower traffic.effects or shorten the drill',
    });
  }
  return complaints;
}
