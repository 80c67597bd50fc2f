import type { EventOf } from '../history/event.ts';
import type { Finding } from './checker.ts';
import { stopEvidence } from './exposure.ts';
import { fail, inconclusive } from './finding.ts';
import { nameOf } from './flips-of.ts';
import type { Stop } from './flips-of.ts';
import type { DrillIndex } from './index-of.ts';
import { heldFromNs } from './stop-reach.ts';
import { effectAgainst, effectName } from './witness-of.ts';

/**
 * Whether a stop's probes, put into the queue behind its back, were left alone, as the world sees it; null when they were.
 * A stop of a capability has none, and a drain lets them pass: they look as if they had been admitted before it.
 */
export function probeFinding(index: DrillIndex, stop: Stop): Finding | null {
  if (stop.on.scope === 'capability' || stop.drainMs !== null) return null;
  const ran = index.effects.find(
    (effect) =>
      effect.run.probe === true &&
      effect.t0 > stop.requestNs &&
      effect.t1 < (stop.releaseNs ?? Number.POSITIVE_INFINITY) &&
      heldFromNs(index, stop, effect) !== null,
  );
  if (ran !== undefined) {
    const reason = `${effectName(ran)} arrived: it is of a probe that was put into the queue after the stop of ${nameOf(stop.on)}`;
    return fail(reason, { ...effectAgainst(ran, stop), probe: true });
  }
  const planted = index.record.events.filter(
    (event): event is EventOf<'probe.planted'> => event.type === 'probe.planted' && event.flip === stop.flip,
  );
  if (planted.length > 0) return null;
  const why = `nothing was put into the queue in scope of ${nameOf(stop.on)}`;
  return inconclusive('probe tasks planted after the stop', why, stopEvidence(stop));
}
