/** One line of a record: a row of CSV, an object of JSON Lines, a span. */
export interface Row {
  /** Counted from 1. */
  readonly line: number;
  /** What it says under this name; undefined for nothing. */
  value(name: string): string | undefined;
}

/** What turns a file's text, piece by piece, into rows. */
export interface RowReader {
  /** Rows that are whole now. */
  feed(text: string): readonly Row[];
  /** What is left at the end of the file. */
  end(): readonly Row[];
  /** Lines that it is not sure of, a sentence each. */
  readonly doubts: readonly string[];
}

/** A longer row is a mistake, or no record at all: it would have to be held in memory whole. */
export const MAX_ROW_CHARACTERS = 1_048_576;

/** A string that holds on to nothing but itself: one cut out of a file's piece keeps the piece. */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
