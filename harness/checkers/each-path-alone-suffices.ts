import type { Checker, Finding } from './checker.ts';
import { stopEvidence } from './exposure.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { DrillFlip, Stop } from './flips-of.ts';
import { covers } from './in-scope.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS } from './span.ts';
import { heldFromNs } from './stop-reach.ts';
import { pathOf, shutPaths, wasStoreAway } from './stop-paths.ts';
import type { ShutPath } from './stop-paths.ts';
import { timeToStop } from './time-to-stop.ts';
import type { WorkerStop } from './time-to-stop.ts';
import { needsWholeHistory } from './whole-history.ts';

/** No stop needs more than the path that it takes. */
export const eachPathAloneSuffices: Checker = {
  name: 'each_path_alone_suffices',
  claim:
    "A stop stops every exposed worker within its budget by the path that it takes while another is shut: the operator's while no alert could get through, or the API is gone; the API's while no alert could get through; a file's while no worker could hear of it from the store; an alert's while its executors could reach the store by their own statement only, or by the relay of their feeds only.",
  needs: 'store',
  check(record) {
    const index = indexOf(record);
    const nothing = needsWholeHistory(record);
    const stops = index.flips.filter(({ kind }) => kind === 'stop');
    const found = stops.map((flip) => checkPath(index, flip)).filter((finding) => finding !== null);
    if (found.length === 0)
      return notApplicable('no stop was asked for while another path was shut, the store being there');
    return nothing ?? firstWorst(found);
  },
};

const BY = { alert: 'by an alert', api: 'over the API', file: 'by file', postgres: 'by the operator' } as const;

function checkPath(index: DrillIndex, flip: DrillFlip): Finding | null {
  const { requestNs, durableNs } = flip;
  const path = pathOf(index, flip);
  const { cutMs } = index.scenario.expect.timeToStop;
  const budgetEndNs = requestNs + cutMs * NS_PER_MS;
  // What goes by file gets to the store when the way there is open again, and has to stop the fleet before.
  const [shut] = shutPaths(index, flip, path === 'file' ? budgetEndNs : (durableNs ?? requestNs));
  const stop = index.stops.find((one) => one.flip === flip.flip);
  const judged = { fromNs: requestNs, toNs: Math.max(durableNs ?? requestNs, budgetEndNs) };
  if (shut === undefined || wasStoreAway(index, judged)) return null;
  const by = BY[path];
  const how = `the stop of ${nameOf(flip.on)}, ${by} with ${shut.name} shut`;
  if (stop === undefined) return unanswered(index, flip, how, shut);
  const unseen = shut.faults.find(({ missing }) => missing.length > 0);
  if (unseen !== undefined) {
    const what = `all receipts of the ${unseen.kind} of ${unseen.target}`;
    return inconclusive(what, `'${unseen.missing[0] ?? ''}' is missing`, pathEvidence(index, stop, shut));
  }
  return masked(index, stop, how) ?? checkWorkers(index, stop, how, shut);
}

/** The operator is told at once when the store refuses; what an alert asks for has to get there. */
function unanswered(index: DrillIndex, flip: DrillFlip, how: string, { faults }: ShutPath): Finding | null {
  const alert = index.alerts.published.find((one) => one.flip === flip.flip);
  const evidence = {
    flip: flip.flip,
    scope: nameOf(flip.on),
    shut: faults.map(({ kind, target }) => `${kind} of ${target}`),
  };
  if (alert === undefined || alert.acknowledgedNs === null)
    return inconclusive('a stop on record', `${how}, was answered by nobody`, evidence);
  return fail(`${how}, was acknowledged by the bus, and nobody put it into the store`, {
    ...evidence,
    alert: alert.alert,
    error: flip.error,
  });
}

/** Another stop that covers all that this one is to stop, and was there before, would have done it as well. */
function masked(index: DrillIndex, stop: Stop, how: string): Finding | null {
  const others = index.stops.filter(
    (other) => other !== stop && other.requestNs <= stop.durableNs && (other.releaseNs ?? index.endNs) > stop.requestNs,
  );
  const held = index.effects.filter((effect) => heldFromNs(index, stop, effect) !== null);
  const other = others.find(({ on }) => held.every((effect) => covers(on, effect)));
  if (other === undefined || held.length === 0) return null;
  return inconclusive(
    'a stop that no other covers',
    `${how}, is covered by that of ${nameOf(other.on)}`,
    stopEvidence(stop),
  );
}

function checkWorkers(index: DrillIndex, stop: Stop, how: string, shut: ShutPath): Finding {
  const exposed = timeToStop(index, stop).filter(
    ({ state, regime }) => state !== 'not_exposed' && state !== 'died' && regime !== 'suspended',
  );
  const evidence = pathEvidence(index, stop, shut);
  if (exposed.length === 0) return inconclusive('a worker exposed to the stop', `${how}, found none`, evidence);
  const judged = exposed.map((worker) => checkWorker(worker, how, evidence));
  const all = `${how}, stopped all ${exposed.length} exposed workers within their budgets`;
  return firstWorst(
    judged.filter(({ verdict }) => verdict !== 'pass'),
    pass(all, { ...evidence, workers: exposed.length }),
  );
}

function checkWorker(
  { worker, state, ms, atLeastMs, budgetMs, regime }: WorkerStop,
  how: string,
  also: Finding['evidence'],
): Finding {
  const evidence = { ...also, worker, state, ms, budgetMs, regime };
  const took = `${how}, took ${state === 'censored' ? 'more than ' : ''}${Math.round(ms ?? 0)} ms to stop ${worker}`;
  if ((atLeastMs ?? 0) > budgetMs) return fail(`${took}; its budget is ${budgetMs} ms`, evidence);
  if ((ms ?? 0) > budgetMs || state === 'censored')
    return inconclusive('a sharp time to stop', `${took}, give or take`, evidence);
  return pass(took, evidence);
}

function pathEvidence(index: DrillIndex, stop: Stop, { name, faults }: ShutPath): Finding['evidence'] {
  const shut = faults.map(({ kind, target, plane }) => `${kind} of ${target}${plane === null ? '' : ` (${plane})`}`);
  return { ...stopEvidence(stop), path: pathOf(index, stop), shutPath: name, shut };
}
