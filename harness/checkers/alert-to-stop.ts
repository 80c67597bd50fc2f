import type { DrillAlert } from './alerts-of.ts';
import type { Finding } from './checker.ts';
import { stopEvidence } from './exposure.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { isByAlert } from '../scenario/by-alert.ts';
import { toMs } from './span.ts';
import { timeToStop } from './time-to-stop.ts';

/**
 * From an alert's publishing to the last exposed worker's stop, for each stop that an alert asked for: violated when it took
 * longer for certain, open when only the upper bound is above. A worker that was suspended across the stop is not counted.
 */
export function alertToStop(index: DrillIndex): Finding {
  const boundMs = index.scenario.expect.alertToStopMs;
  if (boundMs === null) return notApplicable('the scenario sets no bound from alert to stop');
  const asked = index.stops.flatMap((stop) => {
    const alert = index.alerts.published.find(({ flip }) => flip === stop.flip);
    return alert === undefined ? [] : [stopAfter(index, stop, alert, boundMs)];
  });
  if (asked.length > 0) return firstWorst(asked);
  const isPlanned = index.scenario.timeline.some((entry) => entry.kind === 'flip' && isByAlert(entry.via));
  if (!isPlanned) return notApplicable('no stop of the scenario is asked for by an alert');
  return inconclusive('a stop of an alert on record', 'there was none');
}

function stopAfter(index: DrillIndex, stop: Stop, alert: DrillAlert, boundMs: number): Finding {
  const exposed = timeToStop(index, stop).filter(
    ({ state, regime }) => state !== 'not_exposed' && state !== 'died' && regime !== 'suspended',
  );
  const scope = nameOf(stop.on);
  if (exposed.length === 0)
    return inconclusive(
      'a worker exposed to the stop of the alert',
      `none was to that of ${scope}`,
      stopEvidence(stop),
    );
  // Times to stop count from the request, which is before the publishing.
  const atLeastMs = Math.max(...exposed.map((one) => one.atLeastMs ?? 0)) - toMs(alert.sentNs - stop.requestNs);
  const last = exposed.reduce((one, other) => ((other.ms ?? 0) > (one.ms ?? 0) ? other : one));
  const atMostMs = (last.ms ?? 0) - toMs(alert.publishedNs - stop.requestNs);
  const isCensored = exposed.some(({ state }) => state === 'censored');
  const evidence = { ...stopEvidence(stop), alert: alert.alert, worker: last.worker, atLeastMs, atMostMs, boundMs };
  const took = `from the alert on ${scope} to the stop of ${last.worker} it took ${isCensored ? 'more than ' : ''}${Math.round(atMostMs)} ms`;
  if (atLeastMs > boundMs) return fail(`${took}; ${boundMs} ms are expected`, evidence);
  if (atMostMs > boundMs || isCensored) return inconclusive('a sharp time to stop', `${took}, give or take`, evidence);
  return pass(`${took}; at most ${boundMs} ms are expected`, evidence);
}
