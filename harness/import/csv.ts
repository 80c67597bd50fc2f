import { nearest } from '../scenario/nearest.ts';
import { badRecord } from './import-error.ts';
import { MAX_ROW_CHARACTERS } from './row.ts';
import type { Row, RowReader } from './row.ts';

interface CsvOptions {
  /** How messages name it. */
  readonly file: string;
  readonly delimiter: string;
  /** Columns that have to be there. */
  readonly needs: readonly string[];
}

/**
 * Reads CSV to the letter of RFC 4180, with a header: quoted fields may hold delimiters, quotes twice and line ends. What is
 * not to the letter is refused with its line, since whatever else was meant is a guess.
 */
export class CsvReader implements RowReader {
  readonly doubts: string[] = [];
  readonly #options: CsvOptions;
  #columns: ReadonlyMap<string, number> | null = null;
  #rest = '';
  /** Of the first line of what is left. */
  #line = 1;

  constructor(options: CsvOptions) {
    this.#options = options;
  }

  feed(text: string): readonly Row[] {
    const rows: Row[] = [];
    const all = this.#rest + text;
    const quotes = new Quotes(all);
    let from = 0;
    for (let to = recordEnd(all, from, quotes); to >= 0; to = recordEnd(all, from, quotes)) {
      const record = all.slice(from, all[to - 1] === '\r' && to > from ? to - 1 : to);
      this.#take(record, rows);
      this.#line += 1 + count(record, '\n');
      from = to + 1;
    }
    this.#rest = all.slice(from);
    if (this.#rest.length > MAX_ROW_CHARACTERS) {
      throw this.#bad(`found a row of more than ${MAX_ROW_CHARACTERS} characters; is a quote missing its other one?`);
    }
    return rows;
  }

  end(): readonly Row[] {
    const rows: Row[] = [];
    if (count(this.#rest, '"') % 2 === 1) {
      throw this.#bad('found a quote without its other one up to the end: the file was cut short; copy it again');
    }
    if (this.#rest !== '') {
      this.#take(this.#rest, rows);
      this.doubts.push(`${this.#options.file}:${this.#line}: the last line has no end; it may have been cut short`);
    }
    if (this.#columns === null) throw this.#bad('found an empty file, expected a line with the names of its columns');
    return rows;
  }

  #take(record: string, rows: Row[]): void {
    if (record === '') return;
    const fields = this.#split(record);
    if (this.#columns === null) {
      this.#columns = this.#readHeader(fields);
      return;
    }
    const columns = this.#columns;
    if (fields.length !== columns.size) {
      throw this.#bad(`found ${fields.length} fields, expected ${columns.size}, as in the line of names`);
    }
    const line = this.#line;
    rows.push({ line, value: (name) => nonEmpty(fields[columns.get(name) ?? -1]) });
  }

  #readHeader([first = '', ...others]: readonly string[]): ReadonlyMap<string, number> {
    const names = [first.replace(/^\ufeff/, ''), ...others];
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw this.#bad(`found the column '${twice}' once more, expected each once`);
    const missing = this.#options.needs.find((name) => !names.includes(name));
    if (missing === undefined) return new Map(names.map((name, index) => [name, index]));
    const meant = nearest(missing, names);
    const fix = meant === null ? 'name one of these in the mapping' : `did the mapping mean '${meant}'?`;
    throw this.#bad(`found the columns ${names.join(', ')}, expected '${missing}' among them; ${fix}`);
  }

  #split(record: string): readonly string[] {
    const { delimiter } = this.#options;
    if (!record.includes('"')) return record.split(delimiter);
    const fields: string[] = [];
    let at = 0;
    while (at <= record.length) {
      const quoted = record[at] === '"';
      const end = quoted ? closingQuote(record, at) : nextOf(record, delimiter, at);
      const field = record.slice(quoted ? at + 1 : at, end);
      if (!quoted && field.includes('"')) throw this.#bad('found a quote within a field that does not begin with one');
      fields.push(quoted ? field.replaceAll('""', '"') : field);
      at = quoted ? end + 1 : end;
      if (at < record.length && record[at] !== delimiter) {
        throw this.#bad(`found '${record.slice(at, at + 10)}' behind a closing quote, expected '${delimiter}'`);
      }
      at += 1;
    }
    return fields;
  }

  #bad(sentence: string): Error {
    return badRecord(this.#options.file, this.#line, sentence);
  }
}

/** Where the record ends that begins here: the first line end that is not within quotes; -1 when it is not whole yet. */
function recordEnd(text: string, from: number, quotes: Quotes): number {
  let end = text.indexOf('\n', from);
  let quote = quotes.next(from);
  while (end >= 0 && quote >= 0 && quote < end) {
    const closing = quotes.next(quote + 1);
    if (closing < 0) return -1;
    if (closing > end) end = text.indexOf('\n', closing + 1);
    quote = quotes.next(closing + 1);
  }
  return end;
}

/** Where the quotes of a text are; a text with few of them is not searched again for every row. */
class Quotes {
  readonly #text: string;
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.indexOf('"');
  }

  /** The first one from here on, -1 for none; the places asked for only grow. */
  next(from: number): number {
    if (this.#at >= 0 && this.#at < from) this.#at = this.#text.indexOf('"', from);
    return this.#at;
  }
}

/** A field's closing quote; a quote that is there twice is part of it. */
function closingQuote(record: string, opening: number): number {
  let at = record.indexOf('"', opening + 1);
  while (record[at + 1] === '"') at = record.indexOf('"', at + 2);
  return at < 0 ? record.length : at;
}

function nextOf(record: string, delimiter: string, from: number): number {
  const at = record.indexOf(delimiter, from);
  return at < 0 ? record.length : at;
}

function count(text: string, one: string): number {
  let found = 0;
  for (let at = text.indexOf(one); at >= 0; at = text.indexOf(one, at + 1)) found += 1;
  return found;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
