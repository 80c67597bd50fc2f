import type { Checker, Finding } from './checker.ts';
import { unlessBusy } from './busy-machine.ts';
import { Disturbance } from './disturbance.ts';
import { expectedFlow } from './expected-flow.ts';
import type { ExpectedEffect } from './expected-flow.ts';
import { fail, inconclusive, pass } from './finding.ts';
import { indexOf, sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS, toMs } from './span.ts';
import type { Span } from './span.ts';
import { needsWholeHistory } from './whole-history.ts';
import type { Incarnation } from './workers-of.ts';

/** With no stop on and no fault in the way, the fleet works. */
export const noSpuriousHalt: Checker = {
  name: 'no_spurious_halt',
  claim: 'Outside of stops, faults and unverified windows, due runs flow and no worker goes silent while work is due.',
  check(record) {
    const index = indexOf(record);
    const calm = calmStretches(index);
    return needsWholeHistory(record) ?? unlessBusy(index, calm, checkCalm(index, calm));
  },
};

const ENOUGH_DUE = 20;
const LEAST_SHARE = 0.75;
/** A worker silent for longer than this, with its share of work due, was stopped by something. */
const SILENCE_NS = 2000 * NS_PER_MS;

/** From T0 to the end of arrivals, less every stop from its request until its release has reached the fleet. */
function calmStretches(index: DrillIndex): readonly Span[] {
  const propagationNs = index.scenario.expect.timeToStop.connectedMs * NS_PER_MS;
  const calm: Span[] = [];
  let fromNs = index.trafficNs;
  for (const flip of index.flips.filter(({ kind }) => kind === 'stop')) {
    if (flip.requestNs > fromNs) calm.push({ fromNs, toNs: flip.requestNs });
    const stop = index.stops.find((acknowledged) => acknowledged.flip === flip.flip);
    // Nobody knows what became of a stop without an answer: nothing after it is calm.
    const overNs = stop === undefined ? index.endNs : (stop.releasedNs ?? index.endNs) + propagationNs;
    fromNs = Math.max(fromNs, flip.answer === 'refused' ? flip.requestNs : overNs);
  }
  if (index.arrivalsEndNs > fromNs) calm.push({ fromNs, toNs: index.arrivalsEndNs });
  return calm;
}

function checkCalm(index: DrillIndex, calm: readonly Span[]): Finding {
  const flow = calm.flatMap((stretch) => expectedFlow(index, stretch));
  const missing = flow.filter(({ arrival }) => arrival === null);
  const arrived = flow.length - missing.length;
  if (flow.length < ENOUGH_DUE) {
    const reason = `${flow.length} effects were due there, and ${ENOUGH_DUE} are needed`;
    return inconclusive('work due outside of stops and faults', reason, { due: flow.length });
  }
  const [first] = missing;
  if (first !== undefined && arrived < flow.length * LEAST_SHARE) return lostWork(first, flow.length, arrived);
  for (const stretch of calm) {
    const silence = silentWorker(index, stretch);
    if (silence !== null) return silence;
  }
  return pass(
    `${arrived} of ${flow.length} effects due outside of stops and faults arrived, and no worker went silent`,
    { due: flow.length, arrived },
  );
}

function lostWork({ run, capability }: ExpectedEffect, due: number, arrived: number): Finding {
  return fail(`only ${arrived} of ${due} effects due outside of stops and faults arrived`, {
    due,
    arrived,
    run: run.run,
    tenant: run.tenant,
    capability,
  });
}

/** The first worker that went silent in a calm stretch while its share of work was due; null when none did. */
function silentWorker(index: DrillIndex, stretch: Span): Finding | null {
  const disturbance = new Disturbance(index);
  for (const life of index.incarnations.values()) {
    const gaps = gapsOf(index, life, stretch).filter(isSilence);
    for (const gap of gaps.flatMap((silence) => disturbance.calmOf(life.worker, silence)).filter(isSilence)) {
      const due = expectedFlow(index, gap).length / index.workers.length;
      if (due < ENOUGH_DUE) continue;
      const lasted = Math.round(toMs(gap.toNs - gap.fromNs));
      return fail(`${life.worker} sent nothing for ${lasted} ms while ${Math.round(due)} effects were due per worker`, {
        worker: life.worker,
        silentFromMs: sinceT0(index, gap.fromNs),
        silentToMs: sinceT0(index, gap.toNs),
        due: Math.round(due),
      });
    }
  }
  return null;
}

function isSilence({ fromNs, toNs }: Span): boolean {
  return toNs - fromNs >= SILENCE_NS;
}

/** Stretches between arrivals of one incarnation, within its life; one that ended by itself is silent from then on. */
function gapsOf(index: DrillIndex, life: Incarnation, stretch: Span): readonly Span[] {
  if (life.readyNs === null) return [];
  const toNs = Math.min(stretch.toNs, shouldWorkUntilNs(index, life));
  let fromNs = Math.max(stretch.fromNs, life.readyNs);
  const gaps: Span[] = [];
  for (const effect of index.effects) {
    if (effect.channel !== life.channel || effect.t0 < fromNs || effect.t0 > toNs) continue;
    gaps.push({ fromNs, toNs: effect.t0 });
    fromNs = effect.t0;
  }
  return toNs > fromNs ? [...gaps, { fromNs, toNs }] : gaps;
}

/** Until the harness ended it; a worker that ended by itself is missed until somebody comes up in its stead. */
function shouldWorkUntilNs({ incarnations, endNs }: DrillIndex, { worker, channel, exit }: Incarnation): number {
  if (exit === null) return endNs;
  if (exit.expected) return exit.t0;
  const later = [...incarnations.values()].filter((life) => life.worker === worker && life.channel > channel);
  return Math.min(endNs, ...later.map(({ spawnedNs }) => spawnedNs));
}
