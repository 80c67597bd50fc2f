import type { Finding } from './checker.ts';
import { openAt } from './effects-of.ts';
import type { Stop } from './flips-of.ts';
import { nameOf } from './flips-of.ts';
import { inconclusive, notApplicable } from './finding.ts';
import { coversSomeStep, coversStep } from './in-scope.ts';
import type { DrillIndex } from './index-of.ts';
import { heldFromNs } from './stop-reach.ts';

/** What keeps every property of stops from being decided; null when there is a stop to judge. */
export function noStop(index: DrillIndex): Finding | null {
  if (index.stops.length > 0) return null;
  const planned = index.scenario.timeline.some((entry) => entry.kind === 'flip');
  const asked = index.flips.find((flip) => flip.kind === 'stop');
  if (!planned && asked === undefined) return notApplicable('the scenario stops nothing');
  const how =
    asked === undefined
      ? 'none was ever requested'
      : `the answer to it was '${asked.answer}'${asked.error === null ? '' : ` (${asked.error})`}`;
  return inconclusive(
    'a stop on record',
    how,
    asked === undefined ? {} : { flip: asked.flip, scope: nameOf(asked.on) },
  );
}

/** What is missing of the exposure before, at and after a stop, as its arrivals show it; null when nothing is. */
export function missingExposure(index: DrillIndex, stop: Stop): Finding | null {
  const evidence = { flip: stop.flip, revision: stop.revision, scope: nameOf(stop.on) };
  const inScope = index.effects.filter((effect) => heldFromNs(index, stop, effect) !== null);
  if (!inScope.some((effect) => effect.t1 <= stop.requestNs)) {
    return inconclusive(
      'traffic in scope before the stop',
      `no effect in scope of ${evidence.scope} arrived before it`,
      evidence,
    );
  }
  // Primed runs aim at the first stop; a later one may find everything closed already.
  if (isFirst(index, stop) && !inScope.some((effect) => openAt(effect, stop.requestNs))) {
    return inconclusive(
      'a call in scope open at the stop',
      `no worker held one in scope of ${evidence.scope}`,
      evidence,
    );
  }
  return missingWork(index, stop);
}

/** A stop after which nothing in scope was left to do proves nothing. */
export function missingWork(index: DrillIndex, stop: Stop): Finding | null {
  const untilNs = stop.releaseNs ?? index.arrivalsEndNs;
  const isDue =
    stop.on.scope === 'run' ? hasWorkLeft(index, stop) : dueInScope(index, stop, stop.durableNs, untilNs) > 0;
  if (isDue) return null;
  const evidence = { flip: stop.flip, revision: stop.revision, scope: nameOf(stop.on) };
  return inconclusive(
    'work in scope due after the stop',
    `nothing in scope of ${evidence.scope} was due while it was on`,
    evidence,
  );
}

/** Runs with a step in scope that became due in a stretch. */
export function dueInScope(index: DrillIndex, stop: Stop, fromNs: number, toNs: number): number {
  return index.due.filter(({ run, atNs }) => atNs > fromNs && atNs < toNs && coversSomeStep(stop.on, run)).length;
}

/** A stopped run becomes due once only: what counts is a step in scope that it had not got to. */
export function hasWorkLeft(index: DrillIndex, stop: Stop): boolean {
  const arrived = new Set<string>();
  for (const { run, step, t0 } of index.effects) if (t0 <= stop.requestNs) arrived.add(`${run.run} ${step}`);
  return index.due.some(({ run }) =>
    run.plan.some((_, step) => coversStep(stop.on, run, step) && !arrived.has(`${run.run} ${step}`)),
  );
}

/** Whether it is the stop that the drill's primed runs aim at. */
export function isFirst(index: DrillIndex, stop: Stop): boolean {
  return index.stops[0]?.flip === stop.flip;
}

/** What names a stop in a finding's evidence. */
export function stopEvidence({ flip, revision, on }: Stop): Finding['evidence'] {
  return { flip, revision, scope: nameOf(on) };
}
