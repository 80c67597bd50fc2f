import Table from 'cli-table3';
import { wrap } from './wrap.ts';

export interface Column {
  readonly title: string;
  /** Columns of text, without padding. */
  readonly width: number;
  readonly align?: 'left' | 'right';
}

/** Borders and padding take this much of each column, and one more in all. */
const AROUND = 3;

/** How much text fits in the last column of a table that is to be `width` wide, beside the others. */
export function widthLeft(width: number, others: readonly number[]): number {
  const taken = others.reduce((sum, other) => sum + other + AROUND, 0);
  return width - taken - AROUND - 1;
}

interface TableOptions {
  /** Colours one wrapped line of a cell. */
  readonly paint?: (line: string, column: number) => string;
  /** No rule between the rows. */
  readonly isCompact?: boolean;
}

/** A table of exactly the widths asked for; what does not fit is wrapped. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { paint = (line) => line, isCompact = true }: TableOptions = {},
): string {
  const drawn = new Table({
    head: columns.map(({ title }) => title),
    colWidths: columns.map(({ width }) => width + AROUND - 1),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    // Without the first two it colours by itself.
    style: { head: [], border: [], compact: isCompact },
  });
  for (const row of rows) {
    drawn.push(
      columns.map(({ width }, nth) =>
        wrap(row[nth] ?? '', width)
          .map((line) => paint(line, nth))
          .join('\n'),
      ),
    );
  }
  return drawn.toString();
}
