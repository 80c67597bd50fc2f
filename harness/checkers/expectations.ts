import { alertToStop } from './alert-to-stop.ts';
import { unlessBusy } from './busy-machine.ts';
import type { Finding } from './checker.ts';
import { firstBadCallToStop } from './first-bad-call-to-stop.ts';
import { countEffects } from './effects-after.ts';
import { error, fail, inconclusive, notApplicable, pass } from './finding.ts';
import { firstWorst } from './first-worst.ts';
import { nameOf } from './flips-of.ts';
import { sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS, toMs } from './span.ts';
import { timeToStop } from './time-to-stop.ts';
import type { PropertyFinding } from './run-checkers.ts';
import { missingTail } from './whole-history.ts';
import { wentAsPlanned } from './went-as-planned.ts';

/** What a scenario expects besides properties. A violated expectation fails the drill. */
export function expectationsOf(index: DrillIndex): readonly PropertyFinding[] {
  const { connectedMs, cutMs } = index.scenario.expect.timeToStop;
  return [
    { name: 'witness_sound', ...witnessSound(index) },
    { name: 'went_as_planned', ...wentAsPlanned(index) },
    { name: 'steady_state', ...steadyState(index) },
    { name: 'time_to_stop_connected', ...stoppedWithin(index, 'connected', connectedMs) },
    { name: 'time_to_stop_cut', ...stoppedWithin(index, 'cut', cutMs) },
    { name: 'alert_to_stop', ...alertToStop(index) },
    { name: 'first_bad_call_to_stop', ...firstBadCallToStop(index) },
    { name: 'effects_after_budget', ...effectsAfterBudget(index) },
  ];
}

function witnessSound(index: DrillIndex): Finding {
  const { record, unattributed, effects } = index;
  const [first] = unattributed;
  if (first !== undefined) {
    const count = unattributed.length;
    return error(`${count} effects cannot be attributed, the first is ${first.what}`, {
      unattributed: count,
      atMs: sinceT0(index, first.t0),
    });
  }
  const missing = missingTail(record);
  if (missing !== null) return missing;
  if (effects.length === 0) return inconclusive('traffic', 'no effect arrived in the world at all');
  return pass(`the witness attributed all ${effects.length} effects, and its history is whole`);
}

/** Arrivals per second while the phase of steady state lasted. */
function steadyState(index: DrillIndex): Finding {
  const { forMs, effectsPerSecond } = index.scenario.steadyState;
  if (forMs === 0) return notApplicable('the scenario asks for no steady state');
  const fromNs = index.phases.get('steady');
  const toNs = index.phases.get('timeline');
  if (fromNs === undefined || toNs === undefined || toNs <= fromNs)
    return inconclusive('a steady state', 'the drill never got to it');
  const arrived = index.effects.filter(({ t0 }) => t0 >= fromNs && t0 < toNs).length;
  const perSecond = Math.round(arrived / ((toNs - fromNs) / NS_PER_MS / 1000));
  const evidence = { effectsPerSecond: perSecond, min: effectsPerSecond.min, forMs: toMs(toNs - fromNs) };
  if (index.effects.length === 0) return inconclusive('traffic', 'no effect arrived in the world at all', evidence);
  if (perSecond >= effectsPerSecond.min)
    return pass(`${perSecond} effects/s arrived; at least ${effectsPerSecond.min} are expected`, evidence);
  const slow = `${perSecond} effects/s arrived in steady state; at least ${effectsPerSecond.min} are expected`;
  return unlessBusy(index, [{ fromNs, toNs }], fail(slow, evidence));
}

/** A worker's lower bound above the budget is a violation; only its upper bound above it leaves the matter open. */
function stoppedWithin(index: DrillIndex, regime: 'connected' | 'cut', budgetMs: number): Finding {
  const found = index.stops.flatMap((stop) => {
    const workers = timeToStop(index, stop).filter(
      (worker) => worker.regime === regime && worker.ms !== null && worker.state !== 'died',
    );
    return workers.map(({ worker, state, ms, atLeastMs }): Finding => {
      const evidence = {
        worker,
        state,
        ms,
        budgetMs,
        regime,
        flip: stop.flip,
        revision: stop.revision,
        scope: nameOf(stop.on),
      };
      const took = `${worker} (${regime}) took ${state === 'censored' ? 'more than ' : ''}${Math.round(ms ?? 0)} ms to stop`;
      if ((atLeastMs ?? 0) > budgetMs) return fail(`${took}; ${budgetMs} ms are expected`, evidence);
      if ((ms ?? 0) > budgetMs || state === 'censored')
        return inconclusive('a sharp time to stop', `${took}, give or take`, evidence);
      return pass(`every ${regime} worker stopped within ${budgetMs} ms`, { budgetMs });
    });
  });
  return found.length === 0 ? notApplicable(`no ${regime} worker was exposed to a stop`) : firstWorst(found);
}

function effectsAfterBudget(index: DrillIndex): Finding {
  if (index.stops.length === 0) return notApplicable('no stop was acknowledged');
  const allowed = index.scenario.expect.effectsAfterBudget;
  const counts = index.stops.map((stop) => countEffects(index, stop).afterBudget.length);
  const most = Math.max(...counts);
  const evidence = { effectsAfterBudget: most, allowed };
  if (most > allowed)
    return fail(`${most} effects arrived after the budget; at most ${allowed} are expected`, evidence);
  return pass(`${most} effects arrived after the budget; at most ${allowed} are expected`, evidence);
}
