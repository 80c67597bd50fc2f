// C0, C1 and the bidirectional overrides: what a terminal would obey instead of show.
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Text from outside made safe to print: control characters, escapes among them, become `?`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, '?');
}

/** Columns that a text takes on a terminal; characters of East Asian scripts and emoji count two. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += (character.codePointAt(0) ?? 0) >= 0x1100 && !isNarrow(character) ? 2 : 1;
  return columns;
}

/** General punctuation, arrows and box drawing lie above U+1100 and are narrow all the same. */
function isNarrow(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0x1e00 && code < 0x2600;
}

/** Breaks a text into lines of at most `width` columns, at spaces where it can. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text)
    .split(' ')
    .flatMap((long) => pieces(long, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (columnsOf(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** A word too long for a line, in pieces that fit. */
function pieces(word: string, width: number): readonly string[] {
  if (columnsOf(word) <= width) return [word];
  const found: string[] = [];
  let piece = '';
  for (const character of word) {
    if (piece !== '' && columnsOf(piece + character) > width) {
      found.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...found, piece];
}
