import type { Finding } from './checker.ts';
import type { WitnessedEffect } from './effects-of.ts';
import type { Stop } from './flips-of.ts';
import { nameOf } from './flips-of.ts';
import { toMs } from './span.ts';
import type { DrillIndex } from './index-of.ts';

/** The evidence that one effect is. Instants (`…AtMs`) are milliseconds since T0. */
export function effectEvidence(effect: WitnessedEffect): Finding['evidence'] {
  return {
    effect: effect.effect,
    arrivedAtMs: effect.arrivedAtMs,
    worker: effect.worker,
    run: effect.run.run,
    tenant: effect.run.tenant,
    capability: effect.capability,
    key: effect.key,
  };
}

/** The evidence that one effect is against a stop. */
export function effectAgainst(effect: WitnessedEffect, stop: Stop): Finding['evidence'] {
  return {
    ...effectEvidence(effect),
    flip: stop.flip,
    revision: stop.revision,
    scope: nameOf(stop.on),
    afterRequestMs: toMs(effect.t0 - stop.requestNs),
  };
}

/** How a sentence names an effect. */
export function effectName(effect: WitnessedEffect): string {
  return `effect ${effect.effect} (${effect.capability} of run ${effect.run.run} on ${effect.worker})`;
}

/** True when the journal was read at the end: the store's head comes with it. */
export function journalWasRead(index: DrillIndex): boolean {
  return index.head !== null;
}
