import type { Checker, Finding } from './checker.ts';
import { falseClaim } from './claims-of.ts';
import { fail, inconclusive, pass, worstOf } from './finding.ts';
import { indexOf } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { accountsOf } from './ledger-of.ts';
import { disagreement, rowEvidence } from './reconcile.ts';
import { journalWasRead } from './witness-of.ts';
import { needsWholeHistory } from './whole-history.ts';

/** The journal claims, the witness knows: both must tell the same story. */
export const journalMatchesWitness: Checker = {
  name: 'journal_matches_witness',
  claim:
    'Journal and witness agree both ways, as multisets by channel and idempotency key, and so do the workers’ own counts.',
  needs: 'journal',
  check(record) {
    const index = indexOf(record);
    return needsWholeHistory(record) ?? missingJournal(index) ?? compare(index);
  },
};

function missingJournal(index: DrillIndex): Finding | null {
  if (!journalWasRead(index)) return inconclusive('the journal read at the end', "the record has no store's head");
  const ready = [...index.incarnations.values()].filter((life) => life.readyNs !== null);
  const nameless = ready.find((life) => life.incarnation === null);
  if (nameless === undefined) return null;
  const reason = `${nameless.worker} did not say what it is called in the journal (not instrumented)`;
  return inconclusive('incarnations named', reason, { worker: nameless.worker });
}

function compare(index: DrillIndex): Finding {
  const { accounts, orphans } = accountsOf(index);
  const [orphan] = orphans;
  if (orphan !== undefined) {
    return fail(
      `intent ${orphan.intent} is of incarnation '${orphan.incarnation}', which no worker announced`,
      rowEvidence(orphan),
    );
  }
  for (const account of accounts) {
    const found = disagreement(index, account);
    if (found !== null) return found;
  }
  // Said last: a single row or effect shows more than two counts that differ.
  const claims = [...index.incarnations.values()].flatMap((life) => falseClaim(index, life, accounts) ?? []);
  const worst = worstOf(claims);
  if (worst !== null) return worst;
  if (index.intents.length === 0) return inconclusive('intents in the journal', 'it is empty');
  return pass(`${index.intents.length} intents and ${index.effects.length} arrivals agree both ways`, {
    intents: index.intents.length,
    arrivals: index.effects.length,
    landings: index.effects.filter((effect) => effect.ends.some(({ kind }) => kind === 'landed')).length,
  });
}
