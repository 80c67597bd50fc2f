// Controls, overrides, unassigned and lone surrogates; combining marks; and pictures, whose width every terminal sees otherwise.
const UNPRINTABLE = /\p{C}|\p{M}|\p{Zl}|\p{Zp}|[\u{10000}-\u{10ffff}]|(?![ -~])\p{Emoji}/gu;
/** East Asian wide and fullwidth characters (Unicode's EastAsianWidth), below U+10000. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3040-\u3247\u3250-\u4dbf\u4e00-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6]/gu;

/** Text from outside made safe to print: what a terminal would obey instead of show, or show in a width of its own, becomes `?`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, '?');
}

/** Columns that a printable text takes on a terminal; characters of East Asian scripts take two. */
export function columnsOf(text: string): number {
  return text.length + (text.match(WIDE)?.length ?? 0);
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
