import { unlessBusy } from './busy-machine.ts';
import type { Checker, Finding } from './checker.ts';
import { noStop } from './exposure.ts';
import { expectedFlow } from './expected-flow.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { coversSomeStep, coversStep } from './in-scope.ts';
import { indexOf, sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS } from './span.ts';
import { needsWholeHistory } from './whole-history.ts';

/** A stop that is lifted is gone: for new runs, on every worker. */
export const releaseTakesEffect: Checker = {
  name: 'release_takes_effect',
  claim: 'Runs in scope that become due after the release flow again.',
  check(record) {
    const index = indexOf(record);
    const nothing = noStop(index) ?? needsWholeHistory(record);
    return nothing ?? firstWorst(index.stops.map((stop) => checkStop(index, stop)));
  },
};

/** Fewer effects due than this say nothing. */
const ENOUGH_DUE = 10;
/** A worker of four on which the stop sticks takes more than the fifth that is allowed for. */
const LEAST_SHARE = 0.8;

function checkStop(index: DrillIndex, stop: Stop): Finding {
  if (stop.on.scope === 'run') return notApplicable('a stopped run flows again only when it is resumed');
  const scope = nameOf(stop.on);
  const evidence = { flip: stop.flip, revision: stop.revision, scope };
  if (stop.releaseNs === null) return neverReleased(index, stop);
  if (stop.releasedNs === null)
    return inconclusive('the release acknowledged', `nobody answered the release of ${scope}`, evidence);
  const fromNs = stop.releasedNs + index.scenario.expect.timeToStop.connectedMs * NS_PER_MS;
  const after = { fromNs, toNs: index.arrivalsEndNs };
  const flow = expectedFlow(index, after).filter(({ run, step }) => coversStep(stop.on, run, step));
  if (flow.length < ENOUGH_DUE && isStillCovered(index, stop, fromNs))
    return notApplicable(`what ${scope} covers was still stopped by another stop after its release`);
  if (flow.length < ENOUGH_DUE) {
    const reason = `${flow.length} effects in scope of ${scope} were due there, and ${ENOUGH_DUE} are needed`;
    return inconclusive('work in scope due after the release', reason, { ...evidence, due: flow.length });
  }
  const missing = flow.filter(({ arrival }) => arrival === null);
  const arrived = flow.length - missing.length;
  const [first] = missing;
  if (first !== undefined && arrived < flow.length * LEAST_SHARE) {
    const reason = `only ${arrived} of ${flow.length} effects in scope of ${scope} due after its release arrived`;
    const missed = fail(reason, {
      ...evidence,
      due: flow.length,
      arrived,
      run: first.run.run,
      tenant: first.run.tenant,
      capability: first.capability,
      releasedAtMs: sinceT0(index, stop.releasedNs),
    });
    return unlessBusy(index, [after], missed);
  }
  return pass(`${arrived} of ${flow.length} effects in scope of ${scope} due after its release arrived`, {
    ...evidence,
    due: flow.length,
    arrived,
  });
}

function neverReleased(index: DrillIndex, stop: Stop): Finding {
  const scope = nameOf(stop.on);
  const planned = index.scenario.timeline.some(
    (entry) => entry.kind === 'release' && entry.scope === stop.on.scope && entry.target === stop.on.target,
  );
  if (!planned) return notApplicable(`the scenario never releases ${scope}`);
  return inconclusive('the release acknowledged', `the planned release of ${scope} was refused or never requested`, {
    flip: stop.flip,
    scope,
  });
}

/** Whether other stops hold whatever in scope became due after the release: a release lifts none but its own. */
function isStillCovered(index: DrillIndex, stop: Stop, fromNs: number): boolean {
  const others = index.stops.filter((other) => other !== stop && (other.releasedNs ?? index.endNs) > fromNs);
  const due = index.due.filter(({ run, atNs }) => atNs > fromNs && coversSomeStep(stop.on, run));
  if (others.length === 0 || due.length === 0) return false;
  return due.every(({ run, atNs }) =>
    others.some((other) => atNs < (other.releasedNs ?? index.endNs) && coversSomeStep(other.on, run)),
  );
}
