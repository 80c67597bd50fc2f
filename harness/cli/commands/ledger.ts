import { ledgerToCsv } from '../../../src/control/ledger.ts';
import type { LedgerEntry } from '../../../src/store/store.ts';
import { table } from '../../report/table.ts';
import { EXIT } from '../exit.ts';
import { askerName, reasonOf, withOperator } from '../operator-connection.ts';
import type { AskerFlags, StoreFlags } from '../operator-connection.ts';
import { data, note } from '../output.ts';
import { usage } from '../usage.ts';
import { wholeNumber } from '../whole-number.ts';

export interface LedgerFlags extends StoreFlags, AskerFlags {
  readonly close?: readonly string[];
  readonly since?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/** `killdrill ledger`: what landed, and what nobody knows of, with its compensations. */
export async function ledger(flags: LedgerFlags): Promise<number> {
  if (flags.csv === true && flags.json === true) throw usage('--csv and --json are two forms of one answer; drop one');
  if (flags.close !== undefined) return close(flags.close, flags);
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

/** An operator answers for effects that nobody has seen end. All that come before one that is refused are closed. */
async function close(named: readonly string[], flags: LedgerFlags): Promise<number> {
  const intents = named.map(intentOf);
  const asker = { by: askerName(flags), reason: reasonOf(flags) };
  const closed = await withOperator(flags, async ({ effectiveness }) => {
    const answers = [];
    for (const intent of intents) answers.push({ ...intent, closed: await effectiveness.closeIntent(intent, asker) });
    return answers;
  });
  if (flags.json === true) data(JSON.stringify(closed, null, 2));
  const count = closed.filter((one) => one.closed).length;
  note(`${count} effects are closed, for ${asker.by}; ${closed.length - count} had an outcome already`);
  return EXIT.pass;
}

function intentOf(text: string): { readonly incarnation: string; readonly seq: number } {
  const at = text.lastIndexOf('/');
  if (at < 1) throw usage(`--close is '${text}'; expected an incarnation and a number, such as worker-1-5f0c/17`);
  const seq = wholeNumber('--close', text.slice(at + 1), { min: 0, max: Number.MAX_SAFE_INTEGER });
  return { incarnation: text.slice(0, at), seq };
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
