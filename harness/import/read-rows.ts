import { KilldrillError } from '../../src/errors.ts';
import { CsvReader } from './csv.ts';
import { JsonLinesReader } from './json-lines.ts';
import { OtlpReader } from './otlp.ts';
import { columnsOf } from './read-record.ts';
import type { Row, RowReader } from './row.ts';
import { textChunks } from './text-chunks.ts';

/** One file of an incident's records, and how it is to be read. */
export interface RecordFile<M> {
  readonly path: string;
  /** How messages name it. */
  readonly name: string;
  readonly mapping: M;
  readonly isSpans: boolean;
}

interface Readable {
  readonly format?: 'csv' | 'jsonl' | 'otlp' | undefined;
  readonly delimiter: string;
}

/**
 * Calls back for each row, in the order of the file; what the file holds is never in memory whole.
 *
 * @returns what is doubtful about it, a sentence each
 * @throws KilldrillError `RECORD_UNREADABLE` naming file and line
 */
export async function eachRow<M extends Readable>(
  file: RecordFile<M>,
  take: (row: Row) => void,
): Promise<readonly string[]> {
  const reader = readerOf(file);
  for await (const text of textChunks(file.path)) for (const row of reader.feed(text)) take(row);
  for (const row of reader.end()) take(row);
  return reader.doubts;
}

function readerOf<M extends Readable>({ path, name, mapping, isSpans }: RecordFile<M>): RowReader {
  const format = mapping.format ?? formatOf(path, isSpans);
  switch (format) {
    case 'csv':
      return new CsvReader({ file: name, delimiter: mapping.delimiter, needs: columnsOf(mapping) });
    case 'jsonl':
      return new JsonLinesReader(name);
    case 'otlp':
      return new OtlpReader(name);
    default:
      throw new KilldrillError(
        'RECORD_UNREADABLE',
        `${name}: its name says no format, expected .csv or .jsonl; or say format: csv in the mapping`,
      );
  }
}

function formatOf(path: string, isSpans: boolean): 'csv' | 'jsonl' | 'otlp' | null {
  if (isSpans) return 'otlp';
  if (/\.csv(\.gz)?$/i.test(path)) return 'csv';
  return /\.(jsonl|ndjson)(\.gz)?$/i.test(path) ? 'jsonl' : null;
}
