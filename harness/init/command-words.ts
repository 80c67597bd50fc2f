const PIECE = /"(?<double>[^"\\]*)"|'(?<single>[^']*)'|(?<plain>[^\s"'\\|&;<>()$`*?#~!{}[\]]+)/y;

/**
 * The words of a command line, as a shell splits it: quotes hold a word together. Anything that only a shell would
 * understand is none of it, since a fleet is started without one.
 *
 * @returns the words, or what was found instead, in words
 */
export function commandWords(line: string): { readonly words: readonly string[] } | { readonly found: string } {
  const words: string[] = [];
  let at = 0;
  let isOpen = false;
  while (at < line.length) {
    const blanks = /^\s+/.exec(line.slice(at))?.[0].length ?? 0;
    if (blanks > 0) {
      at += blanks;
      isOpen = false;
      continue;
    }
    PIECE.lastIndex = at;
    const match = PIECE.exec(line);
    if (match === null) return { found: foundAt(line, at) };
    const { double, single, plain } = match.groups ?? {};
    const piece = double ?? single ?? plain ?? '';
    words.push(isOpen ? `${words.pop() ?? ''}${piece}` : piece);
    isOpen = true;
    at = PIECE.lastIndex;
  }
  return words.length === 0 || words[0] === '' ? { found: 'no command' } : { words };
}

function foundAt(line: string, at: number): string {
  const character = line.charAt(at);
  const isQuote = character === '"' || character === "'";
  return isQuote ? `a quote that is not closed at character ${at + 1}` : `'${character}' at character ${at + 1}`;
}
