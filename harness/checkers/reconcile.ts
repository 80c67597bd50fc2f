import type { EventOf } from '../history/event.ts';
import type { Finding } from './checker.ts';
import { hasEnd } from './effects-of.ts';
import { isolates } from './faults-of.ts';
import { fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';
import type { Account } from './ledger-of.ts';
import { effectEvidence, effectName } from './witness-of.ts';
import { died } from './workers-of.ts';
import type { Incarnation } from './workers-of.ts';

type IntentRow = EventOf<'store.intent'>;

/** The first disagreement between journal and world about one key on one channel; null when they agree. */
export function disagreement(index: DrillIndex, account: Account): Finding | null {
  return (
    withoutIntent(account) ??
    falseFacts(index, account) ??
    falseLanding(account) ??
    hiddenLanding(account) ??
    falseFailure(account) ??
    withoutOutcome(index, account)
  );
}

/** Each arrival uses up one intent that was not closed as never dispatched. */
function withoutIntent({ intents, arrivals }: Account): Finding | null {
  const dispatched = intents.filter(({ outcome }) => outcome !== 'blocked').length;
  const extra = arrivals[dispatched];
  if (extra === undefined) return null;
  const blocked = intents.find(({ outcome }) => outcome === 'blocked');
  if (blocked === undefined) return fail(`${effectName(extra)} arrived without an intent`, effectEvidence(extra));
  const evidence = { ...effectEvidence(extra), intent: blocked.intent, outcome: 'blocked' };
  return fail(`${effectName(extra)} arrived, though its intent ${blocked.intent} says it was blocked`, evidence);
}

/** A row that names another tenant, feature, agent, run or ancestor than the trace has would escape the scope of a stop. */
function falseFacts(index: DrillIndex, { intents }: Account): Finding | null {
  for (const intent of intents) {
    const run = index.runs.get(intent.run);
    if (run === undefined)
      return fail(`${rowName(intent)} is of a run that the trace does not know`, rowEvidence(intent));
    const wrong = (['tenant', 'feature', 'agent'] as const).find((field) => intent[field] !== run[field]);
    if (wrong !== undefined) {
      const reason = `${rowName(intent)} says ${wrong} '${intent[wrong] ?? ''}', and the trace says '${run[wrong]}'`;
      return fail(reason, rowEvidence(intent));
    }
    const descent = { said: intent.lineage.join(' < '), known: (run.lineage ?? []).join(' < ') };
    if (descent.said !== descent.known) {
      const reason = `${rowName(intent)} says that it descends from '${descent.said}', and the trace says '${descent.known}'`;
      return fail(reason, rowEvidence(intent));
    }
  }
  return null;
}

/** An outcome 'landed' has a landing. A repeated key may have been answered from the landing of its first arrival. */
function falseLanding({ intents, arrivals }: Account): Finding | null {
  const claims = intents.filter(({ outcome }) => outcome === 'landed');
  const landings = arrivals.filter((effect) => hasEnd(effect, 'landed') || hasEnd(effect, 'replayed'));
  const claim = claims[landings.length];
  return claim === undefined
    ? null
    : fail(`${rowName(claim)} says landed, and the world saw no landing`, rowEvidence(claim));
}

/** A landing has an outcome 'landed' or 'unknown', or none at all because its worker died. */
function hiddenLanding({ intents, arrivals }: Account): Finding | null {
  const landings = arrivals.filter((effect) => hasEnd(effect, 'landed'));
  const admitting = intents.filter(({ outcome }) => outcome === 'landed' || outcome === 'unknown' || outcome === null);
  const hidden = landings[admitting.length];
  if (hidden === undefined) return null;
  const outcomes = intents.map(({ outcome }) => outcome);
  return fail(`${effectName(hidden)} landed, and its intent says ${outcomes.join(', ')}`, {
    ...effectEvidence(hidden),
    outcomes,
  });
}

/** 'failed' is the downstream's word only. */
function falseFailure({ intents, arrivals }: Account): Finding | null {
  const claims = intents.filter(({ outcome }) => outcome === 'failed');
  const failures = arrivals.filter((effect) => hasEnd(effect, 'failed'));
  const claim = claims[failures.length];
  if (claim === undefined) return null;
  return fail(`${rowName(claim)} says failed, and the downstream never said so`, rowEvidence(claim));
}

function withoutOutcome(index: DrillIndex, { intents, life }: Account): Finding | null {
  const open = intents.find(({ outcome }) => outcome === null);
  if (open === undefined || died(life) || endedCutOff(index, life)) return null;
  return fail(`${rowName(open)} has no outcome, though ${life.worker} ended in good order`, rowEvidence(open));
}

/** Whether a fault that was never undone kept the worker from writing its last outcomes. */
function endedCutOff(index: DrillIndex, life: Incarnation): boolean {
  const endNs = life.exit?.t0 ?? index.endNs;
  return index.faults.some((fault) => {
    const cutsOff = fault.target === 'postgres' || (fault.target === life.worker && isolates(fault));
    return cutsOff && fault.fromNs <= endNs && fault.toNs >= endNs;
  });
}

function rowName(intent: IntentRow): string {
  return `intent ${intent.intent} (${intent.capability} of run ${intent.run})`;
}

export function rowEvidence(intent: IntentRow): Finding['evidence'] {
  const { run, tenant, capability, key, incarnation, outcome, afterRevision } = intent;
  return { intent: intent.intent, incarnation, run, tenant, capability, key, outcome, afterRevision };
}
