import { KilldrillError } from '../errors.ts';
import { onRecord } from './memory-record.ts';
import { journalKey } from './memory-state.ts';
import type { MemoryState, StoredCompensation, StoredIntent } from './memory-state.ts';
import type { Asker, Compensation, CompensationTicket, LedgerEntry, OutcomeKind } from './store.ts';

/** Landed and unknown effects, in the order in which their intents were let in. */
export function readLedger(state: MemoryState, afterRevision: number | null): readonly LedgerEntry[] {
  return [...state.intents.values()]
    .filter((stored) => afterRevision === null || stored.afterRevision >= afterRevision)
    .flatMap((stored) => ledgerEntry(state, stored) ?? []);
}

/** One compensation an entry, for ever: asked again, it is the one that was issued. */
export function admitCompensation(
  state: MemoryState,
  { incarnation, seq }: { readonly incarnation: string; readonly seq: number },
  capability: string,
  asker: Asker,
): CompensationTicket {
  const key = journalKey(incarnation, seq);
  return onRecord(state, 'compensate', asker, { incarnation, seq, capability }, () => {
    const intent = state.intents.get(key);
    if (intent === undefined || ledgerEntry(state, intent) === null) {
      throw new KilldrillError(
        'LEDGER_ENTRY_UNKNOWN',
        `intent ${seq} of incarnation '${incarnation}' is not in the ledger; expected an effect that landed or whose outcome is unknown`,
      );
    }
    const issued = state.compensations.get(key);
    if (issued !== undefined) return { compensation: shown(issued), isNew: false };
    const compensation = { id: state.newId(), capability, by: asker.by, reason: asker.reason };
    const stored: StoredCompensation = { compensation, outcome: null, detail: null };
    state.compensations.set(key, stored);
    return { compensation: shown(stored), isNew: true };
  });
}

/** What is certain stays; `unknown` may still be found out. */
export function closeCompensation(state: MemoryState, id: string, outcome: OutcomeKind, detail: string | null): void {
  const stored = [...state.compensations.values()].find(({ compensation }) => compensation.id === id);
  if (stored === undefined) {
    throw new KilldrillError('COMPENSATION_UNKNOWN', `compensation '${id}' was never issued; nothing was recorded`);
  }
  if (stored.outcome !== null && stored.outcome !== 'unknown') return;
  stored.outcome = outcome;
  stored.detail = detail;
}

function ledgerEntry(
  state: MemoryState,
  { incarnation, intent, afterRevision, atMs }: StoredIntent,
): LedgerEntry | null {
  const key = journalKey(incarnation, intent.seq);
  const outcome = state.outcomes.get(key)?.outcome.kind ?? 'unknown';
  if (outcome !== 'landed' && outcome !== 'unknown') return null;
  const { seq, run, tenant, feature, agent, capability, access, idempotencyKey } = intent;
  const made = state.compensations.get(key);
  return {
    ...{ incarnation, seq, run, tenant, feature, agent, capability, access, idempotencyKey, outcome, afterRevision },
    at: new Date(atMs).toISOString(),
    compensation: made === undefined ? null : shown(made),
  };
}

function shown({ compensation, outcome }: StoredCompensation): Compensation {
  return { ...compensation, outcome };
}
