import { DRILL_TIMES } from '../drill/drill.ts';
import type { Checker, Finding } from './checker.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { isolates, silencesFleet } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import { coversStep } from './in-scope.ts';
import { indexOf, sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS, overlaps, toMs } from './span.ts';
import type { Span } from './span.ts';
import { pathOf } from './stop-paths.ts';
import { effectEvidence, effectName } from './witness-of.ts';
import { admittedYoung } from './young-store.ts';

/** Without a store, or with a state file that cannot be trusted, nobody can know that nobody said stop: nothing goes on. */
export const failsClosed: Checker = {
  name: 'fails_closed',
  claim:
    'No effect arrives from a worker that has had no store, or no state file that it can trust, for a lease and its abort time, until that is back; and a store that has just started admits nothing.',
  needs: 'store',
  check(record) {
    const index = indexOf(record);
    const young = admittedYoung(index);
    if (young !== null) return young;
    const planned = outagesOf(index, ({ missing }) => !missing.includes('fault.injected'));
    if (planned.length === 0)
      return notApplicable('no fault took the store, the state file, or all planes of a worker away');
    // What went on during a fault that nobody saw to act says nothing of the fleet.
    const outages = outagesOf(index, ({ missing }) => missing.length === 0);
    const [{ cause } = { cause: '' }] = planned;
    if (outages.length === 0) return inconclusive(`that the ${cause} was seen to act`, "a 'fault.observed' is missing");
    return firstWorst(outages.map((outage) => checkOutage(index, outage)));
  },
};

/** A worker without any way to the store, or the whole fleet without a store or a whole state file. From `fromNs` it had none for certain, until `toNs`. */
interface Outage extends Span {
  readonly worker: string | null;
  readonly cause: string;
}

const DUE_PER_WORKER = 20;
/** Less than this between the lease's end and the store's return is no time to see anything in. */
const WATCH_MS = 250;

function outagesOf(index: DrillIndex, counts: (fault: FaultWindow) => boolean): readonly Outage[] {
  const injected = index.faults.filter(counts);
  // An orderly restart is over as soon as the server can make it: there is nothing to watch in.
  const away = injected.filter((fault) => silencesFleet(fault) && fault.kind !== 'restart');
  const all = away.map(({ kind, target, injectedNs, recoveryNs }) => ({
    worker: null,
    cause: `${kind} of ${target}`,
    fromNs: injectedNs,
    toNs: recoveryNs,
  }));
  return [...all, ...index.workers.flatMap((worker) => isolationsOf(injected, worker))];
}

/** Stretches in which both planes of a worker are cut. */
function isolationsOf(faults: readonly FaultWindow[], worker: string): readonly Outage[] {
  const cuts = faults.filter((fault) => isolates(fault) && fault.target === worker);
  const cause = `cut of every plane of ${worker}`;
  return cuts.flatMap((registry) => {
    if (registry.plane === null) return [{ worker, cause, fromNs: registry.injectedNs, toNs: registry.recoveryNs }];
    if (registry.plane !== 'registry') return [];
    const works = cuts.filter((work) => work.plane === 'work' && overlaps(registry, work));
    return works.map((work) => ({
      worker,
      cause,
      fromNs: Math.max(registry.injectedNs, work.injectedNs),
      toNs: Math.min(registry.recoveryNs, work.recoveryNs),
    }));
  });
}

function checkOutage(index: DrillIndex, outage: Outage): Finding {
  const { leaseMs } = index.scenario.fleet;
  const leaseEndNs = outage.fromNs + leaseMs * NS_PER_MS;
  const closedFromNs = leaseEndNs + DRILL_TIMES.abortMs * NS_PER_MS;
  const open = index.effects.filter(({ worker, t0, t1 }) => {
    return (outage.worker === null || worker === outage.worker) && t0 > closedFromNs && t1 < outage.toNs;
  });
  const evidence = {
    cause: outage.cause,
    lostAtMs: sinceT0(index, outage.fromNs),
    backAtMs: sinceT0(index, outage.toNs),
  };
  const [first] = open;
  if (first !== undefined) {
    const later = Math.round(toMs(first.t0 - outage.fromNs));
    const bound = leaseMs + DRILL_TIMES.abortMs;
    const reason = `${effectName(first)} arrived ${later} ms into the ${outage.cause}; lease and abort together are ${bound} ms`;
    return fail(reason, { ...effectEvidence(first), ...evidence, effects: open.length });
  }
  if (outage.toNs - closedFromNs < WATCH_MS * NS_PER_MS) {
    const lasted = Math.round(toMs(outage.toNs - outage.fromNs));
    const needed = leaseMs + DRILL_TIMES.abortMs + WATCH_MS;
    return inconclusive(
      'an outage longer than lease and abort',
      `the ${outage.cause} lasted ${lasted} ms, and ${needed} are needed`,
      evidence,
    );
  }
  const due = dueEffects(index, { fromNs: leaseEndNs, toNs: outage.toNs });
  const needed = DUE_PER_WORKER * index.workers.length;
  if (due < needed) {
    const what = `${DUE_PER_WORKER} effects due per worker between the lease's end and the store's return`;
    return inconclusive(what, `${due} were due in all, and ${needed} are needed`, { ...evidence, due });
  }
  if (!wasUnderWay(index, outage, closedFromNs)) {
    const what = 'a run under way, with a call ahead of it, when the store was lost';
    return inconclusive(what, 'without the store no other can be claimed, and there was none', { ...evidence, due });
  }
  return pass(`no effect arrived in the ${outage.cause} once lease and abort were over, though ${due} were due`, {
    ...evidence,
    due,
  });
}

/** A run whose last call before the outage is no older than this may still be at work. */
const UNDER_WAY_NS = 2000 * NS_PER_MS;

/**
 * Whether some run was being worked on that no stop kept from going on, and had not sent everything by the time when nothing
 * may go out. A stop that was asked of the store when it was lost already reaches nobody there: what it covers has nothing
 * but the lease to hold it.
 */
function wasUnderWay(index: DrillIndex, outage: Outage, closedFromNs: number): boolean {
  const stops = index.stops.filter(
    (stop) =>
      stop.requestNs <= (pathOf(index, stop) === 'postgres' ? outage.fromNs : outage.toNs) &&
      (stop.releasedNs ?? outage.toNs) >= outage.fromNs,
  );
  return index.effects.some(({ run, worker, t0 }) => {
    if (t0 >= outage.fromNs || t0 < outage.fromNs - UNDER_WAY_NS) return false;
    if (outage.worker !== null && worker !== outage.worker) return false;
    return run.plan.some(({ kind = 'call' }, step) => {
      if ((kind !== 'call' && kind !== 'stream') || stops.some((stop) => coversStep(stop.on, run, step))) return false;
      return !(index.byStep.get(`${run.run}/${step}`) ?? []).some((effect) => effect.t0 <= closedFromNs);
    });
  });
}

/** Planned effects of runs due in a stretch that no stop covered: a stopped one would not have come anyway. */
function dueEffects(index: DrillIndex, stretch: Span): number {
  let due = 0;
  for (const { run, atNs } of index.due) {
    if (atNs < stretch.fromNs || atNs >= stretch.toNs) continue;
    const stops = index.stops.filter(
      ({ requestNs, releasedNs }) => requestNs <= atNs && (releasedNs === null || atNs < releasedNs),
    );
    due += run.plan.filter((_, step) => !stops.some((stop) => coversStep(stop.on, run, step))).length;
  }
  return due;
}
