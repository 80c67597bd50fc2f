import type { Checker, Finding } from './checker.ts';
import { countEffects } from './effects-after.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { forgedStops, forgeriesOf, isAgainst, missingReceipt, temptedRuns } from './forgeries-of.ts';
import type { TriedForgery } from './forgeries-of.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import { indexOf, sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { effectAgainst, effectName } from './witness-of.ts';

/** Runs with work in scope that are to become due after a forgery. */
const TEMPTED = 10;

/** Nothing but a release of somebody who may release lets anybody go on. */
export const forgedOrReplayedRefused: Checker = {
  name: 'forged_or_replayed_refused',
  claim:
    'A release that is unsigned, signed by a stranger or by a key that may stop only, made for another namespace, or shown a second time, lifts nothing, by whatever path it comes.',
  needs: 'record',
  check(record) {
    const index = indexOf(record);
    const forgeries = forgeriesOf(index);
    if (forgeries.length === 0) return notApplicable('nobody forges anything in this drill');
    const stops = forgedStops(index, forgeries);
    const [stop] = stops;
    if (stop === undefined) return inconclusive('a stop in force while releases were forged', 'there was none');
    return taken(index, forgeries) ?? lifted(index, stops, forgeries) ?? shown(index, stop, forgeries);
  },
};

/** A store that takes a forgery as a flip. One that was only shown to the fleet has no answer that says so. */
function taken(index: DrillIndex, forgeries: readonly TriedForgery[]): Finding | null {
  const found = forgeries.find(({ path, answer }) => path !== 'notify' && answer?.ok === true);
  if (found === undefined) return null;
  const { forgery, manner, path, id, sentNs } = found;
  const evidence = { forgery, manner, path, id, atMs: sinceT0(index, sentNs) };
  return fail(`the store took a release that is ${manner}, by ${path}`, evidence);
}

function lifted(index: DrillIndex, stops: readonly Stop[], forgeries: readonly TriedForgery[]): Finding | null {
  for (const stop of stops) {
    const { afterBudget } = countEffects(index, stop);
    const first = forgeries.find((forgery) => isAgainst(forgery, stop) && forgery.sentNs > stop.durableNs);
    const effect = afterBudget.find(({ t0 }) => first !== undefined && t0 > first.sentNs);
    if (first === undefined || effect === undefined) continue;
    const evidence = {
      ...effectAgainst(effect, stop),
      ...{ forgery: first.forgery, manner: first.manner, path: first.path, forgedAtMs: sinceT0(index, first.sentNs) },
    };
    const what = `after its release was forged, first ${first.manner}, by ${first.path}`;
    return fail(`${effectName(effect)} arrived under the stop of ${nameOf(stop.on)}, ${what}`, evidence);
  }
  return null;
}

function shown(index: DrillIndex, stop: Stop, forgeries: readonly TriedForgery[]): Finding {
  const unanswered = forgeries.find(({ answer }) => answer === null);
  if (unanswered !== undefined) {
    const { forgery, manner, path } = unanswered;
    return inconclusive('every forgery answered', `forgery ${forgery} was not`, { forgery, manner, path });
  }
  const unsent = forgeries.find(({ path, answer }) => path === 'notify' && answer?.ok !== true);
  if (unsent !== undefined) {
    const { forgery, answer } = unsent;
    const reason = `forgery ${forgery} was not sent: ${answer?.code ?? ''}`;
    return inconclusive('forgeries that reach the fleet', reason, { forgery });
  }
  const missing = missingReceipt(index, forgeries);
  if (missing !== null) return missing;
  const [first] = forgeries;
  const tempted = temptedRuns(index, stop, first?.sentNs ?? 0);
  const manners = [...new Set(forgeries.map(({ manner }) => manner))];
  const evidence = { forgeries: forgeries.length, manners, temptedRuns: tempted };
  if (tempted < TEMPTED) {
    const reason = `${tempted} became due in scope of ${nameOf(stop.on)} after the first forgery`;
    return inconclusive(`${TEMPTED} runs that would have gone on`, reason, evidence);
  }
  return pass(`${forgeries.length} forged or replayed releases lifted nothing: ${manners.join(', ')}`, evidence);
}
