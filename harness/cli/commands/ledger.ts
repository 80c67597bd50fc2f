import { ledgerToCsv } from '../../../src/control/ledger.ts';
import type { LedgerEntry } from '../../../src/store/store.ts';
import { table } from '../../report/table.ts';
import { EXIT } from '../exit.ts';
import { withOperator } from '../operator-connection.ts';
import type { StoreFlags } from '../operator-connection.ts';
import { data, note } from '../output.ts';
import { usage } from '../usage.ts';
import { wholeNumber } from '../whole-number.ts';

export interface LedgerFlags extends StoreFlags {
  readonly since?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/** `killdrill ledger`: what landed, and what nobody knows of, with its compensations. */
export async function ledger(flags: LedgerFlags): Promise<number> {
  if (flags.csv === true && flags.json === true) throw usage('--csv and --json are two forms of one answer; drop one');
  const since = flags.since === undefined ? null : wholeNumber('--since', flags.since, { min: 0, max: 2 ** 31 - 1 });
  const entries = await withOperator(flags, async ({ operator, headRevision, namespace }) => {
    const head = await headRevision();
    // An empty answer would look like "nothing happened".
    if (since !== null && since > head)
      throw usage(`--since is ${since}, but namespace '${namespace}' is at revision ${head}`);
    return operator.ledger(since);
  });
  if (flags.json === true) data(JSON.stringify(entries, null, 2));
  else if (flags.csv === true) data(ledgerToCsv(entries));
  else if (entries.length > 0) data(ledgerTable(entries));
  note(summary(entries, since));
  return EXIT.pass;
}

function summary(entries: readonly LedgerEntry[], since: number | null): string {
  const landed = entries.filter(({ outcome }) => outcome === 'landed').length;
  const compensated = entries.filter(({ compensation }) => compensation !== null).length;
  const from = since === null ? '' : ` after revision ${since}`;
  return `${landed} effects landed${from}, ${entries.length - landed} are unknown; ${compensated} have a compensation`;
}

/** Within 80 columns; which intent an entry is (a compensation names it) is in the other forms. */
function ledgerTable(entries: readonly LedgerEntry[]): string {
  const rows = entries.map((entry) => [
    entry.at.slice(0, 19).replace('T', ' '),
    String(entry.afterRevision),
    `${entry.run}${entry.tenant === null ? '' : ` (${entry.tenant})`}`,
    `${entry.capability} ${entry.access}`,
    entry.outcome,
    entry.compensation === null ? '' : `${entry.compensation.capability} ${entry.compensation.outcome ?? 'open'}`,
  ]);
  return table(
    [
      { title: 'at (UTC)', width: 10 },
      { title: 'after', width: 5, align: 'right' },
      { title: 'run (tenant)', width: 15 },
      { title: 'effect', width: 12 },
      { title: 'outcome', width: 7 },
      { title: 'compensation', width: 12 },
    ],
    rows,
  );
}
