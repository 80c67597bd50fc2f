import type { Finding } from './checker.ts';
import { stopEvidence } from './exposure.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { runawaysIn } from './runaways-of.ts';
import type { Runaway } from './runaways-of.ts';
import { toMs } from './span.ts';
import { plannedFlip } from './stop-paths.ts';
import { timeToStop } from './time-to-stop.ts';
import type { WorkerStop } from './time-to-stop.ts';

type Evidence = Finding['evidence'];

/**
 * From the first effect of a runaway that the witness saw to the last exposed worker's stop, for each stop that the fleet's
 * own detectors had to ask for: violated when it took longer for certain, open when only the upper bound is above, or when
 * the runaway itself was slower than planned. A
 * worker that was suspended across the stop is not counted.
 */
export function firstBadCallToStop(index: DrillIndex): Finding {
  const boundMs = index.scenario.expect.firstBadCallToStopMs;
  if (boundMs === null) return notApplicable('the scenario sets no bound from the first bad call to the stop');
  const isPlanned = index.scenario.timeline.some((entry) => entry.kind === 'flip' && entry.via === 'detector');
  if (!isPlanned) return notApplicable("no stop of the scenario is for the fleet's detectors to ask for");
  const runaways = runawaysIn(index);
  if (runaways.length === 0) return inconclusive('a runaway that was let loose', 'there was none');
  return firstWorst(runaways.map((runaway) => judged(index, runaway, boundMs)));
}

function judged(index: DrillIndex, runaway: Runaway, boundMs: number): Finding {
  const [first] = runaway.effects;
  const scope = nameOf(runaway.on);
  if (first === undefined) {
    return inconclusive('a bad call that the witness saw', `none of ${scope} arrived`, { flip: runaway.flip, scope });
  }
  const stop = index.stops.find(({ flip }) => flip === runaway.flip);
  if (stop === undefined) return neverStopped(runaway, boundMs);
  const exposed = timeToStop(index, stop).filter(
    ({ state, regime }) => state !== 'not_exposed' && state !== 'died' && regime !== 'suspended',
  );
  const last = latest(exposed);
  if (last === null) {
    const why = `none was to that of ${scope}`;
    return inconclusive('a worker exposed to the stop of the runaway', why, stopEvidence(stop));
  }
  // Times to stop count from when the runaway was let loose, which is before its first effect.
  const atLeastMs = Math.max(...exposed.map((one) => one.atLeastMs ?? 0)) - toMs(first.t1 - stop.requestNs);
  const atMostMs = (last.ms ?? 0) - toMs(first.t0 - stop.requestNs);
  const isCensored = exposed.some(({ state }) => state === 'censored');
  const evidence = {
    ...stopEvidence(stop),
    worker: last.worker,
    atLeastMs,
    atMostMs,
    boundMs,
    ...badCalls(runaway),
  };
  const took = `from the first bad call of ${scope} to the stop of ${last.worker} it took ${isCensored ? 'more than ' : ''}${Math.round(atMostMs)} ms`;
  const slow = atMostMs > boundMs ? tooSlowToNotice(index, runaway, evidence) : null;
  if (slow !== null) return slow;
  if (atLeastMs > boundMs) return fail(`${took}; ${boundMs} ms are expected`, evidence);
  if (atMostMs > boundMs || isCensored) return inconclusive('a sharp time to stop', `${took}, give or take`, evidence);
  return pass(`${took}; at most ${boundMs} ms are expected`, evidence);
}

/** Of the rate that the scenario asks for, a runaway has to show so much before anybody can be blamed for not noticing it. */
const SHOWN = 0.75;

/** A machine without room holds up a runaway like everybody else, and it takes longer to do too much. */
function tooSlowToNotice(index: DrillIndex, { flip, on }: Runaway, evidence: Evidence): Finding | null {
  const planned = plannedFlip(index, flip);
  const wanted = planned?.kind === 'flip' ? planned.runawayPerSecond : null;
  const seen = evidence['badCallsPerSecond'];
  if (wanted === null || typeof seen !== 'number' || seen >= wanted * SHOWN) return null;
  const why = `the witness saw ${seen}/s of ${nameOf(on)}, of ${wanted}/s that were let loose`;
  return inconclusive('a runaway at its rate', why, evidence);
}

/** Nobody stopped it: what the witness saw of it for longer than the bound needs no stop to be too long. */
function neverStopped({ flip, on, effects }: Runaway, boundMs: number): Finding {
  const [first, last] = [effects[0], effects.at(-1)];
  const wentOnMs = first === undefined || last === undefined ? 0 : toMs(last.t0 - first.t1);
  const evidence = { flip, scope: nameOf(on), badCalls: effects.length, atLeastMs: wentOnMs, boundMs };
  const went = `nobody stopped ${nameOf(on)}: ${effects.length} bad calls arrived within ${Math.round(wentOnMs)} ms`;
  if (wentOnMs > boundMs) return fail(`${went}; ${boundMs} ms are expected`, evidence);
  return inconclusive('a stop of the runaway on record', went, evidence);
}

function latest(exposed: readonly WorkerStop[]): WorkerStop | null {
  const [first, ...others] = exposed;
  if (first === undefined) return null;
  return others.reduce((one, other) => ((other.ms ?? 0) > (one.ms ?? 0) ? other : one), first);
}

/** How many came through, and how fast, from the first to the last of them. */
function badCalls({ effects }: Runaway): Evidence {
  const [first, last] = [effects[0], effects.at(-1)];
  const seconds = first === undefined || last === undefined ? 0 : toMs(last.t0 - first.t0) / 1_000;
  return {
    badCalls: effects.length,
    badCallsPerSecond: seconds > 0 ? Math.round((effects.length - 1) / seconds) : null,
  };
}
