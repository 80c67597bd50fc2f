import type { EventOf } from '../history/event.ts';
import type { Finding } from './checker.ts';
import { hasEnd } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';
import { actionsOf } from './operator-of.ts';
import { effectEvidence, effectName } from './witness-of.ts';

type Entry = EventOf<'store.ledger'>;

/** A ledger entry with its compensation. */
export interface Compensated {
  readonly entry: Entry;
  readonly id: string;
  readonly outcome: string | null;
}

export function compensationsOf(entries: readonly Entry[]): readonly Compensated[] {
  return entries.flatMap((entry) => {
    if (entry.compensation === null) return [];
    const { id, outcome } = entry.compensation;
    return [{ entry, id: String(id), outcome: typeof outcome === 'string' ? outcome : null }];
  });
}

/** What is wrong with the compensations, against what the operator asked for and what the world saw; null for nothing. */
export function brokenCompensation(index: DrillIndex, entries: readonly Entry[]): Finding | null {
  const compensations = compensationsOf(entries);
  return (
    sentTwice(index) ??
    unlisted(index, compensations) ??
    unanswered(index, compensations) ??
    firstOf(compensations, (one) => falseOutcome(index, one))
  );
}

function firstOf(all: readonly Compensated[], check: (one: Compensated) => Finding | null): Finding | null {
  for (const one of all) {
    const found = check(one);
    if (found !== null) return found;
  }
  return null;
}

/** A compensation goes out once, also when it is asked for twice. */
function sentTwice({ operatorEffects }: DrillIndex): Finding | null {
  const seen = new Set<string>();
  for (const effect of operatorEffects) {
    if (seen.has(effect.key))
      return fail(`${effectName(effect)} is a compensation that had been sent before`, effectEvidence(effect));
    seen.add(effect.key);
  }
  return null;
}

/** What the world got of the operator is a compensation of the ledger's. */
function unlisted({ operatorEffects }: DrillIndex, compensations: readonly Compensated[]): Finding | null {
  const known = new Map<string, Compensated>();
  for (const one of compensations) {
    const other = known.get(one.id);
    if (other !== undefined)
      return fail(`compensation ${one.id} is in the ledger twice`, {
        compensation: one.id,
        intents: [other.entry.intent, one.entry.intent],
      });
    known.set(one.id, one);
  }
  const stray = operatorEffects.find(({ key }) => !known.has(key));
  if (stray === undefined) return null;
  return fail(`${effectName(stray)} is a compensation that the ledger does not list`, effectEvidence(stray));
}

/** What was asked for and taken is in the ledger, under one id an entry, and nothing is that nobody asked for. */
function unanswered(index: DrillIndex, compensations: readonly Compensated[]): Finding | null {
  const ids = new Map<string, string>();
  for (const { asked, answered } of actionsOf(index.record.events, 'compensate')) {
    const { incarnation, intent } = asked;
    const of = `${incarnation} ${intent}`;
    const id = answered?.ok === true ? String(answered.answer['id']) : null;
    const evidence = { action: asked.action, incarnation, intent, compensation: id };
    const before = ids.get(of);
    if (id !== null && before !== undefined && before !== id)
      return fail(`intent ${intent} was compensated twice, as ${before} and as ${id}`, evidence);
    ids.set(of, id ?? before ?? '');
    if (
      id !== null &&
      !compensations.some((one) => one.id === id && `${one.entry.incarnation} ${one.entry.intent}` === of)
    )
      return fail(`the compensation of intent ${intent} was issued, and the ledger does not list it`, evidence);
  }
  const unasked = compensations.find(({ entry }) => !ids.has(`${entry.incarnation} ${entry.intent}`));
  if (unasked === undefined) return null;
  const { incarnation, intent, run } = unasked.entry;
  const reason = `the ledger lists a compensation of intent ${intent} (run ${run}) that no operator asked for`;
  return fail(reason, { incarnation, intent, run, compensation: unasked.id });
}

function falseOutcome({ operatorEffects }: DrillIndex, { entry, id, outcome }: Compensated): Finding | null {
  const sent: WitnessedEffect | undefined = operatorEffects.find(({ key }) => key === id);
  const landed = sent !== undefined && hasEnd(sent, 'landed');
  const evidence = { compensation: id, intent: entry.intent, run: entry.run, outcome };
  if (outcome === null) return fail(`compensation ${id} was issued, and nobody recorded what became of it`, evidence);
  if (outcome === 'landed' && !landed)
    return fail(`the ledger says that compensation ${id} landed, and the world saw no landing`, evidence);
  if (landed && (outcome === 'failed' || outcome === 'blocked'))
    return fail(`compensation ${id} landed, and the ledger says ${outcome}`, { ...evidence, effect: sent.effect });
  return null;
}
