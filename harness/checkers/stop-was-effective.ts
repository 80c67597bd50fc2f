import type { EventOf } from '../history/event.ts';
import type { Checker, Finding } from './checker.ts';
import { isJournaled, openAt } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { missingExposure, noStop, stopEvidence } from './exposure.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { toMs } from './span.ts';
import { heldFromNs } from './stop-reach.ts';
import { missingTail } from './whole-history.ts';
import { effectAgainst, effectName } from './witness-of.ts';

type Observed = EventOf<'stop.observed'>;

/** "Effective" is said in time, and never too early. */
export const stopWasEffective: Checker = {
  name: 'stop_was_effective',
  claim:
    'A stop that the timeline waits for is called effective in time, and never while the witness sees a call in its scope open, or before it sees one.',
  needs: 'record',
  check(record) {
    const index = indexOf(record);
    const none = noStop(index);
    if (none !== null) return none;
    const waited = index.stops.filter((stop) => withinMsOf(index, stop) !== null);
    if (waited.length === 0) return notApplicable('the timeline waits for no stop to be effective');
    return firstWorst(waited.map((stop) => checkStop(index, stop)));
  },
};

function checkStop(index: DrillIndex, stop: Stop): Finding {
  const words = index.record.events.filter(
    (event): event is Observed => event.type === 'stop.observed' && event.flip === stop.flip,
  );
  const last = words.at(-1);
  if (last === undefined) {
    return inconclusive('an observer of the stop', 'it said nothing in the whole time', stopEvidence(stop));
  }
  const missing = missingExposure(index, stop);
  if (missing !== null) return missing;
  const said = words.find(({ state }) => state === 'effective');
  if (said !== undefined) return saidRightly(index, stop, said);
  return missingTail(index.record) ?? neverSaid(index, stop, last);
}

function neverSaid(index: DrillIndex, stop: Stop, { missing, workers }: Observed): Finding {
  const withinMs = withinMsOf(index, stop) ?? 0;
  const why = missing.length === 0 ? 'nobody knows why' : missing.slice(0, 3).join('; ');
  const evidence = { ...stopEvidence(stop), withinMs, missing: missing.length, workers: workers.length };
  return fail(`the stop of ${nameOf(stop.on)} was not called effective within ${withinMs} ms: ${why}`, evidence);
}

function saidRightly(index: DrillIndex, stop: Stop, said: Observed): Finding {
  const untilNs = stop.releaseNs ?? index.endNs;
  const excepted = new Set(said.workers.filter(({ state }) => state !== 'confirmed').map(({ worker }) => worker));
  const afterMs = Math.round(toMs(said.t1 - stop.requestNs));
  let outlived = 0;
  for (const effect of index.effects) {
    const fromNs = heldFromNs(index, stop, effect);
    if (fromNs === null || fromNs >= untilNs || effect.t1 > untilNs) continue;
    if (openAt(effect, fromNs)) outlived += 1;
    // A process that is suspended inside a read which no journal shows can't be seen; the word says so.
    if (!isJournaled(effect) && excepted.has(effect.worker)) continue;
    if (!isOpenFor(effect, said.t1)) continue;
    const how = effect.t0 > said.t1 ? 'arrived after that' : 'was still open';
    const evidence = {
      ...effectAgainst(effect, stop),
      saidAfterMs: afterMs,
      arrivedAfterMs: toMs(effect.t0 - said.t1),
    };
    return fail(
      `the stop of ${nameOf(stop.on)} was called effective ${afterMs} ms after its request, and ${effectName(effect)} ${how}`,
      evidence,
    );
  }
  return pass(
    `the stop of ${nameOf(stop.on)} was called effective ${afterMs} ms after its request; nothing in scope was open or came later`,
    { ...stopEvidence(stop), saidAfterMs: afterMs, openAtStop: outlived },
  );
}

/** For certain: its arrival's and its end's bounds leave no doubt. */
function isOpenFor({ t0, ends }: WitnessedEffect, saidNs: number): boolean {
  const [end] = ends;
  return t0 > saidNs || end === undefined || end.t0 > saidNs;
}

/** How long the timeline waits for this stop; null when it does not. Flips and releases are counted together. */
function withinMsOf(index: DrillIndex, { flip }: Stop): number | null {
  const flips = index.scenario.timeline.filter(({ kind }) => kind === 'flip' || kind === 'release');
  const entry = flips[flip - 1];
  return entry?.kind === 'flip' ? entry.effectiveWithinMs : null;
}
