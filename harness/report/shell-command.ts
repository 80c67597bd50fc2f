/** A word as a shell takes it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What is between blanks that a shell splits at: none within quotes, where a line's end would be part of the word as well. */
const SHELL_WORDS = /(?:'[^']*'|\\.|[^ ])+/gu;

/** A command over several lines that a shell takes as one. */
export function continued(command: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of command.match(SHELL_WORDS) ?? []) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || longer.length <= width - 2) line = longer;
    else {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    }
  }
  return [...lines, line];
}
