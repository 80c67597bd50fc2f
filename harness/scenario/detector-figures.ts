import { CAPABILITY_NAMES, CAPABILITIES } from '../traffic/capabilities.ts';
import { intendedFit } from '../traffic/expected-fit.ts';
import { MIX } from '../traffic/mix.ts';
import { isOrdinary } from '../traffic/ordinary.ts';
import type { TraceRun } from '../traffic/trace.ts';
import type { Complaint } from './complaint.ts';
import { formatRate } from './quantity.ts';
import type { DetectorsSpec, DrawnTraffic, FleetSpec, Scenario } from './scenario.ts';

/** Held calls and what else is there for a stop, at one worker: they may all come within one window. */
const PRIMED_WRITES = 9;
/** Deviations of a Poisson count that ordinary traffic stays below. */
const DEVIATIONS = 5;
/** A runaway is noticed in good time when it writes so many times as fast as what is too fast. */
const RUNAWAY_FACTOR = 1.5;

/**
 * Whether a detector's threshold has ordinary traffic below it and runaways above it: a drill whose detectors are red by
 * themselves, or never, shows nothing.
 */
export function detectorFigures(scenario: Scenario): readonly Complaint[] {
  const { fleet, traffic } = scenario;
  const { detectors, workers } = fleet;
  if (detectors === null) return [];
  const { per, perSecond, windowMs } = detectors.writeRate;
  const complaints: Complaint[] = [];
  const { busiest, needed } = ordinaryPerSecond(scenario, detectors.writeRate);
  if (perSecond < needed) {
    const found = `${perSecond} writes a second, where the busiest ${per} plans ${busiest.toFixed(1)} at one worker${traffic.kind === 'drawn' ? ' in a burst' : ''}`;
    const expected = `at least ${needed} over a window of ${windowMs} ms, so that ordinary traffic is not red`;
    const fix = 'raise it, lengthen the window, or have less traffic';
    complaints.push({ path: ['fleet', 'detectors', 'writeRate', 'perSecond'], found, expected, fix });
  }
  for (const [index, entry] of scenario.timeline.entries()) {
    if (entry.kind !== 'flip' || entry.runawayPerSecond === null) continue;
    const least = ceiling(perSecond * RUNAWAY_FACTOR * workers);
    if (entry.runawayPerSecond >= least) continue;
    const perWorker = (entry.runawayPerSecond / workers).toFixed(1);
    const found = `${formatRate(entry.runawayPerSecond)}, which is ${perWorker}/s at each of ${workers} workers`;
    const expected = `at least ${formatRate(least)}: ${RUNAWAY_FACTOR} times the ${perSecond}/s at which one worker's detector is red`;
    const fix = 'raise it, or lower fleet.detectors.writeRate.perSecond';
    complaints.push({ path: ['timeline', index, 'flip', 'runaway'], found, expected, fix });
  }
  return complaints;
}

/** Writes a second of the busiest target at one worker, and the threshold that these call for. */
function ordinaryPerSecond(scenario: Scenario, { per, windowMs }: DetectorsSpec['writeRate']) {
  const { fleet, traffic } = scenario;
  // A trace that is given has been judged by whoever gives it: what it writes on average is held against it, no more.
  if (traffic.kind === 'given') {
    const busiest = busiestWrites(traffic.trace.runs.filter(isOrdinary), per) / fleet.workers;
    return { busiest, needed: ceiling(busiest) };
  }
  const busiest = busiestPerSecond(fleet, traffic);
  return { busiest, needed: ceiling(safePerSecond(busiest, windowMs)) };
}

/** Writes a second of the target with the most of them, from T0 to the last arrival. */
function busiestWrites(runs: readonly TraceRun[], per: DetectorsSpec['writeRate']['per']): number {
  const writes = new Map<string, number>();
  for (const run of runs) {
    const own = run.plan.filter(({ access }) => access === 'write').length;
    writes.set(run[per], (writes.get(run[per]) ?? 0) + own);
  }
  const most = [...writes.values()].reduce((max, count) => Math.max(max, count), 0);
  return (most * 1_000) / Math.max(1_000, runs.at(-1)?.dueMs ?? 0);
}

/** Writes a second of the busiest target that drawn traffic plans at one worker, while a burst lasts. */
function busiestPerSecond(fleet: FleetSpec, traffic: DrawnTraffic): number {
  const { capabilities } = intendedFit();
  const writes = CAPABILITY_NAMES.filter((name) => CAPABILITIES[name] === 'write');
  const share = writes.reduce((sum, name) => sum + capabilities[name], 0);
  const { rateFactor, meanMs, meanGapMs } = MIX.bursts;
  const burst = (rateFactor * (meanMs + meanGapMs)) / (rateFactor * meanMs + meanGapMs);
  const agents = fleet.workers * fleet.agentsPerWorker;
  const busiest = fleet.detectors?.writeRate.per === 'agent' ? 1 / agents : busiestTenant(traffic.tenants);
  return (traffic.effectsPerSecond * share * busiest * burst) / fleet.workers;
}

function busiestTenant(tenants: number): number {
  let total = 0;
  for (let rank = 1; rank <= tenants; rank += 1) total += 1 / rank ** MIX.tenantZipfExponent;
  return 1 / total;
}

function safePerSecond(perSecond: number, windowMs: number): number {
  const mean = (perSecond * windowMs) / 1_000;
  return ((mean + DEVIATIONS * Math.sqrt(mean) + PRIMED_WRITES) * 1_000) / windowMs;
}

function ceiling(value: number): number {
  return Math.ceil(value * 10) / 10;
}
