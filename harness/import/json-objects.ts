import { badRecord } from './import-error.ts';
import { MAX_ROW_CHARACTERS } from './row.ts';

/** Objects of one kind in a JSON text, with the line on which each begins. */
export interface FoundObject {
  readonly kind: string;
  readonly line: number;
  readonly text: string;
}

interface Level {
  readonly isList: boolean;
  /** The key under which this stands. */
  readonly key: string;
}

/** A longer text is no key that anybody wants. */
const MAX_KEY_CHARACTERS = 1_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COLON = 0x3a;

/**
 * Cuts objects out of a JSON text that may be larger than memory: those that stand under one of these keys, or in a list
 * under it. It looks at quotes and brackets only; each object that it cuts out is parsed by whoever wants it.
 */
export class JsonObjects {
  readonly #file: string;
  readonly #wanted: ReadonlySet<string>;
  readonly #levels: Level[] = [];
  #line = 1;
  #inText = false;
  #escaped = false;
  /** The text that was read last, up to its closing quote; a key if a colon follows. */
  #lastText = '';
  /** What a piece before had of a text that goes on. */
  #begun = '';
  #key = '';
  /** The depth at which an object that is being cut out began; -1 for none. */
  #cutDepth = -1;
  #cut = '';
  #cutLine = 0;
  #sawAny = false;

  constructor(file: string, wanted: readonly string[]) {
    this.#file = file;
    this.#wanted = new Set(wanted);
  }

  feed(text: string): readonly FoundObject[] {
    const found: FoundObject[] = [];
    let cutFrom = 0;
    let textFrom = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE) this.#line += 1;
      if (this.#inText) {
        if (this.#escaped) this.#escaped = false;
        else if (code === BACKSLASH) this.#escaped = true;
        else if (code === QUOTE) {
          this.#inText = false;
          if (this.#cutDepth < 0) this.#lastText = this.#begun + text.slice(textFrom, at);
          this.#begun = '';
        }
        continue;
      }
      if (code === QUOTE) {
        this.#inText = true;
        textFrom = at + 1;
      } else if (code === COLON) this.#key = this.#lastText;
      else if (code === OPEN_MAP || code === OPEN_LIST) {
        if (this.#opens(code === OPEN_LIST)) cutFrom = at;
      } else if (code === CLOSE_MAP || code === CLOSE_LIST) {
        const kind = this.#closes(code === CLOSE_LIST);
        if (kind !== null) found.push({ kind, line: this.#cutLine, text: this.#cut + text.slice(cutFrom, at + 1) });
        if (kind !== null) this.#cut = '';
      }
    }
    if (this.#cutDepth >= 0) this.#keep(text.slice(cutFrom));
    else if (this.#inText) this.#begun = (this.#begun + text.slice(textFrom)).slice(0, MAX_KEY_CHARACTERS);
    return found;
  }

  /** @throws KilldrillError `RECORD_UNREADABLE` when something is open yet, or there was nothing. */
  end(): void {
    if (this.#levels.length > 0 || this.#inText) {
      throw badRecord(this.#file, this.#line, 'found the end within an object: the file was cut short; copy it again');
    }
    if (!this.#sawAny) throw badRecord(this.#file, this.#line, 'found no JSON, expected spans as OTLP JSON');
  }

  #keep(text: string): void {
    this.#cut += text;
    if (this.#cut.length <= MAX_ROW_CHARACTERS) return;
    throw badRecord(this.#file, this.#cutLine, `found an object of more than ${MAX_ROW_CHARACTERS} characters`);
  }

  /** True when an object begins here that is to be cut out. */
  #opens(isList: boolean): boolean {
    this.#sawAny = true;
    const around = this.#levels.at(-1);
    const key = around === undefined ? '' : around.isList ? around.key : this.#key;
    this.#levels.push({ isList, key });
    this.#key = '';
    if (isList || this.#cutDepth >= 0 || !this.#wanted.has(key)) return false;
    this.#cutDepth = this.#levels.length;
    this.#cutLine = this.#line;
    return true;
  }

  /** The kind of object that ends here; null for none that is cut out. */
  #closes(isList: boolean): string | null {
    const depth = this.#levels.length;
    const level = this.#levels.pop();
    if (level === undefined || level.isList !== isList) {
      throw badRecord(this.#file, this.#line, `found '${isList ? ']' : '}'}' that closes nothing, expected JSON`);
    }
    if (depth !== this.#cutDepth) return null;
    this.#cutDepth = -1;
    return level.key;
  }
}
