import Table from 'cli-table3';
import type { Summary } from './statistics.ts';

/** Rows of milliseconds; a percentile that n does not carry is a dash. */
export function summaryTable(rows: readonly (readonly [what: string, summary: Summary])[]): string {
  const table = new Table({ head: ['ms', 'p50', 'p95', 'p99', 'max', 'n'], style: { head: [], border: [] } });
  const ms = (value: number | null): string => (value === null ? '-' : value.toFixed(1));
  for (const [what, { p50, p95, p99, max, n }] of rows) table.push([what, ms(p50), ms(p95), ms(p99), ms(max), n]);
  return table.toString();
}
