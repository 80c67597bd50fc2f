import Table from 'cli-table3';
import type { SelftestRow } from '../selftest/kill-matrix.ts';

const COLUMN_WIDTHS = [27, 26, 8, 15];
const PLAIN = { head: [], border: [] };

/** The kill matrix as a table of at most 80 columns: one row a mutant or control, counting its rounds. */
export function renderKillMatrix(rows: readonly SelftestRow[]): string {
  const table = new Table({
    head: ['mutant or control', 'must', 'rounds', 'result'],
    colWidths: COLUMN_WIDTHS,
    wordWrap: true,
    wrapOnWordBoundary: false,
    style: PLAIN,
  });
  for (const [name, own] of groupByName(rows)) {
    const [first] = own;
    if (first === undefined) continue;
    const sound = own.filter((row) => row.sound).length;
    const must = first.property === null ? 'pass' : `fail ${first.property}`;
    const word = first.kind === 'mutant' ? 'killed' : 'passed';
    table.push([name, must, String(own.length), `${word} ${sound}/${own.length}`]);
  }
  const survivors = rows.filter(({ sound }) => !sound);
  const reasons = survivors.map(({ name, why }) => `  ${name}: ${why ?? ''}`);
  return [
    table.toString(),
    ...(reasons.length === 0 ? [] : ['', 'Not as it must be:', ...reasons]),
    '',
    summary(rows),
  ].join('\n');
}

function summary(rows: readonly SelftestRow[]): string {
  const count = (kind: SelftestRow['kind']): string => {
    const own = rows.filter((row) => row.kind === kind);
    return `${own.filter(({ sound }) => sound).length} of ${own.length}`;
  };
  return `selftest: ${count('mutant')} mutants killed, ${count('control')} clean fleets passed`;
}

function groupByName(rows: readonly SelftestRow[]): ReadonlyMap<string, readonly SelftestRow[]> {
  const groups = new Map<string, SelftestRow[]>();
  for (const row of rows) groups.set(row.name, [...(groups.get(row.name) ?? []), row]);
  return groups;
}
