import type { EventOf } from '../history/event.ts';
import type { Checker, Finding } from './checker.ts';
import { brokenCompensation, compensationsOf } from './compensations.ts';
import { callName, hasEnd } from './effects-of.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { noStop } from './exposure.ts';
import { fail, inconclusive, pass } from './finding.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { needsWholeHistory } from './whole-history.ts';
import { effectEvidence, effectName, journalWasRead } from './witness-of.ts';

/** After a stop somebody has to clear up, and can rely on the list. */
export const ledgerComplete: Checker = {
  name: 'ledger_complete',
  claim:
    'The ledger lists every write that the world saw land, as landed or unknown, nothing as landed that did not, and every compensation once with its outcome; none of them lands twice.',
  needs: 'journal',
  check(record) {
    const index = indexOf(record);
    return noStop(index) ?? needsWholeHistory(record) ?? compare(index);
  },
};

type Entry = EventOf<'store.ledger'>;

function compare(index: DrillIndex): Finding {
  if (!journalWasRead(index)) return inconclusive('the journal read at the end', "the record has no store's head");
  const entries = index.record.events.filter((event): event is Entry => event.type === 'store.ledger');
  if (entries.length === 0) return inconclusive('the ledger read at the end', 'it has no entry (not instrumented)');
  return (
    missing(index, entries) ?? invented(index, entries) ?? brokenCompensation(index, entries) ?? listed(index, entries)
  );
}

/** A landed write that the ledger does not have. The last of a worker whose intents nobody has is named by its journal. */
function missing(index: DrillIndex, entries: readonly Entry[]): Finding | null {
  const calls = countBy(entries);
  for (const effect of landedWrites(index)) {
    if (calls.has(callName({ ...effect, run: effect.run.run }))) continue;
    return fail(`${effectName(effect)} landed, and the ledger does not list it`, effectEvidence(effect));
  }
  return null;
}

function landedWrites(index: DrillIndex): readonly WitnessedEffect[] {
  return index.effects.filter((effect) => hasEnd(effect, 'landed') && isWrite(effect));
}

/** What no plan has is taken for a write. */
function isWrite({ run, step }: WitnessedEffect): boolean {
  return step === null || run.plan[step]?.access !== 'read';
}

function countBy(entries: readonly Entry[]): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  for (const entry of entries) calls.set(callName(entry), (calls.get(callName(entry)) ?? 0) + 1);
  return calls;
}

/** An entry that says landed without a landing in the world. What is unknown may not have arrived at all. */
function invented(index: DrillIndex, entries: readonly Entry[]): Finding | null {
  const landings = new Map<string, number>();
  for (const effect of index.effects) {
    if (!hasEnd(effect, 'landed') && !hasEnd(effect, 'replayed')) continue;
    const call = callName({ ...effect, run: effect.run.run });
    landings.set(call, (landings.get(call) ?? 0) + 1);
  }
  for (const entry of entries) {
    if (entry.outcome !== 'landed') continue;
    const left = landings.get(callName(entry)) ?? 0;
    landings.set(callName(entry), left - 1);
    if (left > 0) continue;
    const { incarnation, intent, run, capability, key } = entry;
    const reason = `the ledger lists ${capability} of run ${run} as landed (intent ${intent}), and the world saw no such landing`;
    return fail(reason, { incarnation, intent, run, capability, key });
  }
  return null;
}

function listed(index: DrillIndex, entries: readonly Entry[]): Finding {
  const [first] = index.stops;
  const writes = landedWrites(index);
  const since = writes.filter(({ t0 }) => first !== undefined && t0 > first.durableNs).length;
  const compensations = compensationsOf(entries).length;
  const evidence = { entries: entries.length, landedWrites: writes.length, sinceFirstFlip: since, compensations };
  if (since === 0) return inconclusive('a write that landed since the first flip', 'there was none', evidence);
  const asked = index.scenario.timeline.some(({ kind }) => kind === 'compensate');
  if (asked && compensations === 0) return inconclusive('a compensation that was issued', 'there was none', evidence);
  return pass(
    `all ${writes.length} writes that landed are in the ledger, ${since} of them since the first flip, and ${compensations} compensations`,
    evidence,
  );
}
