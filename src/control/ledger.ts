import type { LedgerEntry } from '../store/store.ts';

type Cell = string | number | null;

/** Columns of the ledger as a spreadsheet gets it, in their order. */
const COLUMNS: readonly (readonly [title: string, cell: (entry: LedgerEntry) => Cell])[] = [
  ['at', ({ at }) => at],
  ['afterRevision', ({ afterRevision }) => afterRevision],
  ['run', ({ run }) => run],
  ['tenant', ({ tenant }) => tenant],
  ['feature', ({ feature }) => feature],
  ['agent', ({ agent }) => agent],
  ['capability', ({ capability }) => capability],
  ['access', ({ access }) => access],
  ['outcome', ({ outcome }) => outcome],
  ['idempotencyKey', ({ idempotencyKey }) => idempotencyKey],
  ['incarnation', ({ incarnation }) => incarnation],
  ['seq', ({ seq }) => seq],
  ['compensation', ({ compensation }) => compensation?.id ?? null],
  ['compensationCapability', ({ compensation }) => compensation?.capability ?? null],
  ['compensationOutcome', ({ compensation }) => compensation?.outcome ?? null],
  ['compensationBy', ({ compensation }) => compensation?.by ?? null],
  ['compensationReason', ({ compensation }) => compensation?.reason ?? null],
];

/**
 * What a spreadsheet takes for a formula, or leads to one: names come from agents, and whoever opens the ledger is an
 * operator. Leading white space is skipped by some, and the full-width forms are read as the plain ones.
 */
const FORMULA = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/u;

/**
 * The ledger as CSV (RFC 4180): a header, a line an entry, CRLF after each; null is an empty cell. A cell that a spreadsheet
 * would compute gets an apostrophe in front, which makes it text.
 */
export function ledgerToCsv(entries: readonly LedgerEntry[]): string {
  const lines = entries.map((entry) => COLUMNS.map(([, cell]) => written(cell(entry))));
  return [COLUMNS.map(([title]) => title), ...lines].map((line) => `${line.join(',')}\r\n`).join('');
}

function written(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]|^\s|\s$/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
