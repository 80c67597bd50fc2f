import { badRecord } from './import-error.ts';
import { MAX_ROW_CHARACTERS } from './row.ts';
import type { Row, RowReader } from './row.ts';

type Values = Readonly<Record<string, unknown>>;

/** Reads JSON Lines: an object a line; `a.b` is `b` within `a`, unless there is a key of that very name. */
export class JsonLinesReader implements RowReader {
  readonly doubts: readonly string[] = [];
  readonly #file: string;
  #rest = '';
  #line = 0;

  constructor(file: string) {
    this.#file = file;
  }

  feed(text: string): readonly Row[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_ROW_CHARACTERS) {
      throw badRecord(this.#file, this.#line + 1, `found a line of more than ${MAX_ROW_CHARACTERS} characters`);
    }
    return lines.flatMap((line) => this.#take(line, false));
  }

  end(): readonly Row[] {
    return this.#take(this.#rest, true);
  }

  #take(text: string, isLast: boolean): readonly Row[] {
    this.#line += 1;
    const line = this.#line;
    if (text.trim() === '') return [];
    const found = this.#parse(line === 1 ? text.replace(/^\ufeff/, '') : text, isLast);
    return [{ line, value: (name) => textAt(found, name) }];
  }

  #parse(text: string, isLast: boolean): Values {
    let found: unknown;
    try {
      found = JSON.parse(text);
    } catch (cause) {
      const cut = isLast ? '; the line has no end: the file was cut short; copy it again' : '';
      throw badRecord(this.#file, this.#line, `found no JSON: ${text.slice(0, 60)}${cut}`, cause);
    }
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Values;
    throw badRecord(this.#file, this.#line, `found ${text.slice(0, 60)}, expected an object`);
  }
}

/** What stands under a name, as text; undefined for nothing, null, or something that is no single value. */
function textAt(values: Values, name: string): string | undefined {
  if (Object.hasOwn(values, name)) return asText(values[name]);
  let here: unknown = values;
  for (const key of name.split('.')) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Values)[key];
  }
  return asText(here);
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
