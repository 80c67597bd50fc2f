import type { Checker, Finding } from './checker.ts';
import { eachStop } from './each-stop.ts';
import { countEffects } from './effects-after.ts';
import { hasEnd } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { isOpenAfter } from './engagements-of.ts';
import { isFirst, stopEvidence } from './exposure.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { drainOverNs, engagementOfStop, letsPass, missingQueue, waitingAtStop } from './queue-of.ts';
import type { QueuedAtStop } from './queue-of.ts';
import { changeEvidence } from './queue-rules.ts';
import { endedNs } from './queue-snapshot.ts';
import { NS_PER_MS, toMs } from './span.ts';
import { taskName } from './tasks-of.ts';
import { effectAgainst, effectName } from './witness-of.ts';

/** A stop holds what was only waiting for its time. */
export const timersAndRetriesCancelled: Checker = {
  name: 'timers_and_retries_cancelled',
  claim:
    'A timer and a retry that wait in scope of a stop and fall due while it is on do not fire: they are neither claimed nor do they arrive.',
  needs: 'queue',
  seen: (record) => firedIn(indexOf(record)),
  check: (record) => eachStop(record, checkStop),
};

/** It must be due this long before the stop ends, or nobody could have seen it fire. */
const WATCH_NS = 250 * NS_PER_MS;

function checkStop(index: DrillIndex, stop: Stop): Finding {
  const arrived = firedInTheWorld(index, stop);
  if (arrived !== null) return arrived;
  const unseen = missingQueue(index);
  if (unseen !== null) return unseen;
  const due = waitingAtStop(index, stop).filter((queued) => fallsDue(index, stop, queued));
  for (const queued of due) {
    const claimed = claimedInStop(index, stop, queued);
    if (claimed !== null) return claimed;
  }
  const timers = due.filter(isTimer).length;
  const retries = due.filter(({ was }) => was.retry).length;
  const missing = timers === 0 ? 'a timer' : retries === 0 ? 'a retry' : null;
  if (missing !== null) return notExposed(index, stop, { missing, timers, retries });
  return pass(
    `${timers} timers and ${retries} retries fell due while ${nameOf(stop.on)} was stopped, and none of them fired`,
    { ...stopEvidence(stop), timers, retries },
  );
}

/** A timer task, or a run that was queued for later. */
function isTimer({ task, was }: QueuedAtStop): boolean {
  return !was.retry && (task.kind === 'timer' || (task.step === null && task.run?.startAfterMs !== undefined));
}

function fallsDue(index: DrillIndex, stop: Stop, queued: QueuedAtStop): boolean {
  const engagement = engagementOfStop(index, stop);
  if (engagement === null || (!queued.was.retry && !isTimer(queued))) return false;
  const fromNs = drainOverNs(engagement) ?? engagement.atNs;
  return queued.was.dueNs >= fromNs && queued.was.dueNs <= endedNs(index, stop) - WATCH_NS;
}

/** What the world sees by itself: one that fired. That none did proves nothing, unless one is known to have waited. */
function firedIn(index: DrillIndex): Finding | null {
  return index.stops.map((stop) => firedInTheWorld(index, stop)).find((found) => found !== null) ?? null;
}

function firedInTheWorld(index: DrillIndex, stop: Stop): Finding | null {
  for (const effect of countEffects(index, stop).afterBudget) {
    const what = isTimerStep(effect) ? 'timer' : isRetry(index, effect) ? 'retry' : null;
    if (what === null) continue;
    const late = Math.round(toMs(effect.t0 - stop.requestNs));
    const reason = `a ${what} fired: ${effectName(effect)} arrived ${late} ms after the stop of ${nameOf(stop.on)} was requested`;
    return fail(reason, { ...effectAgainst(effect, stop), fired: what });
  }
  return null;
}

function isTimerStep({ run, step }: WitnessedEffect): boolean {
  return (step !== null && run.plan[step]?.kind === 'timer') || run.startAfterMs !== undefined;
}

/** The same step had been refused before. */
function isRetry({ effects }: DrillIndex, effect: WitnessedEffect): boolean {
  return effects.some(
    (earlier) =>
      earlier.run.run === effect.run.run &&
      earlier.key === effect.key &&
      earlier.effect !== effect.effect &&
      earlier.t0 < effect.t0 &&
      hasEnd(earlier, 'failed'),
  );
}

function claimedInStop(index: DrillIndex, stop: Stop, { task, was }: QueuedAtStop): Finding | null {
  const engagement = engagementOfStop(index, stop);
  if (engagement === null) return null;
  const claim = task.changes.find(
    (change) =>
      change.to === 'running' && isOpenAfter(engagement, change.afterRevision) && !letsPass(engagement, task, change),
  );
  if (claim === undefined) return null;
  const what = was.retry ? 'the retry of ' : '';
  const reason = `${what}${taskName(task)} waited at the stop of ${nameOf(stop.on)} and was claimed while it was on`;
  return fail(reason, { ...stopEvidence(stop), ...changeEvidence(task, claim, engagement) });
}

function notExposed(
  index: DrillIndex,
  stop: Stop,
  { missing, timers, retries }: { readonly missing: string; readonly timers: number; readonly retries: number },
): Finding {
  const scope = nameOf(stop.on);
  if (!isFirst(index, stop)) return notApplicable(`no timer or retry fell due while ${scope} was stopped later on`);
  if (stop.on.scope === 'capability') return notApplicable(`no waiting timer and retry is of ${scope}`);
  if (stop.drainMs !== null) return notApplicable(`the drain of ${scope} lets admitted timers and retries pass`);
  const why = `${timers} timers and ${retries} retries waited in scope of ${scope} for a time in it`;
  return inconclusive(`${missing} in scope that falls due in the stop`, why, {
    ...stopEvidence(stop),
    timers,
    retries,
  });
}
