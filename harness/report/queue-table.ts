import type { QueueCounts, QueueSnapshots } from '../checkers/verdict-file.ts';
import { table, widthLeft } from './table.ts';
import { wrap } from './wrap.ts';

const STATES = [
  'waiting',
  'running',
  'parked',
  'discarded',
  'done',
  'failed',
  'unknown',
  'gone',
] as const satisfies readonly (keyof QueueCounts)[];

/** A stop's queue at T+0, 60 s later and at the end; each column counts the same tasks, so that their sums are equal. */
export function queueTable({ atStop, at60s, at60sMissing, atEnd }: QueueSnapshots, width: number): string {
  const count = { width: 8, align: 'right' } as const;
  const columns = [
    { ...count, title: 'T+0' },
    { ...count, title: 'T+60 s' },
    { ...count, title: 'end' },
  ];
  const state = {
    title: 'tasks',
    width: widthLeft(
      width,
      columns.map((column) => column.width),
    ),
  };
  const shown = STATES.filter((one) => [atStop, at60s, atEnd].some((counts) => (counts?.[one] ?? 0) > 0));
  const rows = shown.map((one) => [String(atStop[one]), cell(at60s?.[one]), String(atEnd[one]), one]);
  const sums = [String(sumOf(atStop)), at60s === null ? '–' : String(sumOf(at60s)), String(sumOf(atEnd)), 'in all'];
  const note = at60sMissing === null ? [] : wrap(`T+60 s ${at60sMissing}`, width);
  return [table([...columns, state], [...rows, sums]), ...note].join('\n');
}

function cell(count: number | undefined): string {
  return count === undefined ? '–' : String(count);
}

function sumOf(counts: QueueCounts): number {
  return STATES.reduce((sum, state) => sum + counts[state], 0);
}
