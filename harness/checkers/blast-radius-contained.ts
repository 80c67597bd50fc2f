import { unlessBusy } from './busy-machine.ts';
import type { Checker, Finding } from './checker.ts';
import { Disturbance } from './disturbance.ts';
import { noStop } from './exposure.ts';
import { expectedFlow, sharesBy } from './expected-flow.ts';
import type { ExpectedEffect, FlowShare } from './expected-flow.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { covers } from './in-scope.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS } from './span.ts';
import type { Span } from './span.ts';
import { needsWholeHistory } from './whole-history.ts';
import { livedThrough } from './workers-of.ts';

/** A stop stops what it names and nothing else. */
export const blastRadiusContained: Checker = {
  name: 'blast_radius_contained',
  claim:
    'While a stop is on, effects outside its scope keep arriving: per tenant, feature, capability and worker with enough work due.',
  check(record) {
    const index = indexOf(record);
    const nothing = noStop(index) ?? needsWholeHistory(record);
    return nothing ?? firstWorst(index.stops.map((stop) => checkStop(index, stop)));
  },
};

/** Fewer effects due than this say nothing about a group. */
const ENOUGH_DUE = 20;
/** Less than this share of what was due means that the group was stopped too. Ample for a slow machine, none for a stop. */
const LEAST_SHARE = 0.5;

function checkStop(index: DrillIndex, stop: Stop): Finding {
  if (stop.on.scope === 'global') return notApplicable('nothing is outside of a global stop');
  const hold: Span = {
    fromNs: stop.durableNs + index.scenario.expect.timeToStop.connectedMs * NS_PER_MS,
    toNs: Math.min(stop.releaseNs ?? index.arrivalsEndNs, index.arrivalsEndNs),
  };
  const flow = expectedFlow(index, hold);
  const evidence = { flip: stop.flip, revision: stop.revision, scope: nameOf(stop.on), due: flow.length };
  if (flow.length < ENOUGH_DUE) {
    const reason = `${flow.length} effects were due there, outside of ${evidence.scope} and of unverified windows, and ${ENOUGH_DUE} are needed`;
    return inconclusive('work due outside the scope during the stop', reason, evidence);
  }
  const groups = groupsOf(flow);
  const starved = mostStarved(groups);
  if (starved !== null) return unlessBusy(index, [hold], starvation(starved, flow, stop));
  const silent = silentWorker(index, stop, hold, flow.length);
  if (silent !== null) {
    const reason = `${silent} let no effect outside of ${evidence.scope} through while it was stopped`;
    return unlessBusy(index, [hold], fail(reason, { ...evidence, worker: silent }));
  }
  const arrived = flow.filter(({ arrival }) => arrival !== null).length;
  const judged = groups.filter(({ due }) => due >= ENOUGH_DUE).length;
  return pass(
    `${arrived} of ${flow.length} effects due outside of ${evidence.scope} arrived while it was stopped, in ${judged} groups`,
    {
      ...evidence,
      arrived,
      groups: judged,
    },
  );
}

function groupsOf(flow: readonly ExpectedEffect[]): readonly FlowShare[] {
  return [
    ...sharesBy(flow, () => 'everything outside'),
    ...sharesBy(flow, ({ run }) => `tenant ${run.tenant}`),
    ...sharesBy(flow, ({ run }) => `feature ${run.feature}`),
    ...sharesBy(flow, ({ capability }) => `capability ${capability}`),
  ];
}

/** The group that least of its due work arrived of, the widest among equals; null when all got enough. */
function mostStarved(groups: readonly FlowShare[]): FlowShare | null {
  let most: FlowShare | null = null;
  for (const group of groups) {
    if (group.due < ENOUGH_DUE || group.arrived >= group.due * LEAST_SHARE) continue;
    if (most === null || group.arrived / group.due < most.arrived / most.due) most = group;
  }
  return most;
}

function starvation({ group, due, arrived }: FlowShare, flow: readonly ExpectedEffect[], stop: Stop): Finding {
  const missing = flow.find((effect) => effect.arrival === null && groupsOf([effect]).some((of) => of.group === group));
  const reason = `${arrived} of ${due} effects due for ${group} arrived while ${nameOf(stop.on)} was stopped, which does not cover it`;
  return fail(reason, {
    flip: stop.flip,
    revision: stop.revision,
    scope: nameOf(stop.on),
    group,
    due,
    arrived,
    run: missing?.run.run ?? null,
    tenant: missing?.run.tenant ?? null,
    capability: missing?.capability ?? null,
  });
}

/** A worker that lived undisturbed through the hold, with its share of work due, and let nothing out; null when none did. */
function silentWorker(index: DrillIndex, stop: Stop, hold: Span, due: number): string | null {
  if (due / index.workers.length < ENOUGH_DUE) return null;
  const disturbance = new Disturbance(index);
  const heard = new Set<string>();
  for (const effect of index.effects) {
    if (effect.t0 >= hold.fromNs && effect.t0 <= hold.toNs && !covers(stop.on, effect)) heard.add(effect.worker);
  }
  const lives = [...index.incarnations.values()].filter((life) => livedThrough(life, hold.fromNs, hold.toNs));
  const silent = lives.find(({ worker }) => !heard.has(worker) && !disturbance.ownOf(worker, hold));
  return silent?.worker ?? null;
}
