import { LIMITS } from '../scenario/limits.ts';
import type { Scenario, TimelineEntry } from '../scenario/scenario.ts';
import { figureComplaints } from '../scenario/meaning.ts';
import { pathText } from '../scenario/complaint.ts';
import { KilldrillError } from '../../src/errors.ts';
import { steadyPerSecond } from '../scenario/given-figures.ts';
import type { Trace } from '../traffic/trace.ts';
import type { Findings } from './finding.ts';
import type { IncidentClock } from './incident-clock.ts';
import type { Mapping } from './mapping-schema.ts';
import { timeText } from './times.ts';

const STEADY_MS = 3_000;
const MIN_SETTLE_MS = 5_000;
const USUAL_WORKERS = 4;
const USUAL_AGENTS = 16;
/** Of what ran at once in the incident, so that a fleet of another speed keeps up. */
const SPARE = 1.5;

interface ScenarioParts {
  readonly mapping: Mapping;
  readonly timeline: readonly TimelineEntry[];
  readonly trace: Trace;
  readonly clock: IncidentClock;
  /** Of the trace, beside the scenario. */
  readonly file: string;
}

/**
 * The scenario that repeats an incident.
 *
 * @throws KilldrillError `SCENARIO_INVALID` when what came of the records is none that can be run
 */
export function scenarioOf(parts: ScenarioParts, findings: Findings): Scenario {
  const { mapping, timeline, trace, clock, file } = parts;
  const { fromMs, toMs } = clock.bounds;
  const alone = `An incident of ${timeText(fromMs)}, up to ${timeText(toMs)}, as its records have it.`;
  const scenario: Scenario = {
    version: 1,
    name: mapping.name,
    description: mapping.description ?? alone,
    seed: 42,
    fleet: fleetOf(parts, findings),
    traffic: { kind: 'given', file, primed: true, trace },
    downstream: { landsAfterAbort: false },
    steadyState: {
      forMs: STEADY_MS,
      effectsPerSecond: { min: Math.floor(steadyPerSecond(trace.runs, STEADY_MS)) / 2 },
    },
    timeline,
    holdMs: holdMs(timeline, clock.lengthMs),
    settleMs: Math.max(MIN_SETTLE_MS, mapping.window.after - 1_000),
    expect: {
      timeToStop: { connectedMs: 600, cutMs: 2_000 },
      alertToStopMs: null,
      firstBadCallToStopMs: null,
      effectsAfterBudget: 0,
      properties: 'all',
    },
  };
  findings.add(
    'assumed',
    'the budgets are those of every scenario: stopped within 600 ms, and within 2 s where the store is out of reach',
  );
  const [wrong] = figureComplaints(scenario);
  if (wrong === undefined) return scenario;
  const { path, found, expected, fix } = wrong;
  throw new KilldrillError(
    'SCENARIO_INVALID',
    `what came of the records: ${pathText(path)}: found ${found}, expected ${expected}; ${fix}`,
  );
}

function fleetOf({ mapping, timeline, trace }: ScenarioParts, findings: Findings): Scenario['fleet'] {
  const isByAlert = timeline.some((entry) => entry.kind === 'flip' && entry.via === 'alert');
  const atOnce = mostAtOnce(trace);
  const agents = Math.ceil((atOnce * SPARE) / USUAL_WORKERS);
  const fitting = Math.min(LIMITS.agentsPerWorker.max, Math.max(USUAL_AGENTS, agents));
  const size = mapping.fleet ?? { workers: USUAL_WORKERS, agentsPerWorker: fitting };
  if (mapping.fleet === undefined) {
    findings.add(
      'assumed',
      `a fleet of ${size.workers} workers with ${size.agentsPerWorker} agents each: at most ${atOnce} runs were at work at once`,
    );
  }
  if (isByAlert) findings.add('assumed', 'one executor, since stops were asked for by alerts');
  return {
    ...size,
    executors: isByAlert ? 1 : 0,
    detectors: null,
    leaseMs: 1_200,
    command: null,
    levers: null,
    deafTools: [],
    critical: { capabilities: [], classes: [] },
    contract: null,
  };
}

/** Runs at work at once, at most, by their plans. */
function mostAtOnce({ runs }: Trace): number {
  const moves = runs.flatMap(({ dueMs, plan }) => {
    const tookMs = plan.reduce((sum, { serviceMs }) => sum + serviceMs, 0);
    return [
      { atMs: dueMs, by: 1 },
      { atMs: dueMs + tookMs, by: -1 },
    ];
  });
  let now = 0;
  let most = 0;
  for (const { by } of moves.toSorted((one, other) => one.atMs - other.atMs || one.by - other.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

/** From the first stop to its release, or to the drill's end. */
function holdMs(timeline: readonly TimelineEntry[], lengthMs: number): number {
  const first = timeline.findIndex((entry) => entry.kind === 'flip');
  const stop = timeline[first];
  if (stop?.kind !== 'flip') return 0;
  const release = timeline
    .slice(first)
    .find((entry) => entry.kind === 'release' && entry.scope === stop.scope && entry.target === stop.target);
  const at = (entry: TimelineEntry): number => (entry.when.kind === 'start' ? entry.when.offsetMs : 0);
  const endMs = release === undefined ? lengthMs - 1_000 : at(release);
  return Math.min(LIMITS.holdMs.max, Math.max(0, Math.round(endMs - at(stop))));
}
