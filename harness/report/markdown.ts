/** A table; a bar or a line break in a cell does not break it. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [markdownRow(head), markdownRow(head.map(() => '---')), ...rows.map(markdownRow)].join('\n');
}

/** A line of a table. */
export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map(inCell).join(' | ')} |`;
}

/** As code; no text for nothing. */
export function markdownCode(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

/** Text from outside on one line, in which nothing is markup. */
export function inlineMarkdown(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\p{Cc}|\p{Cs}/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]#@!]/g, (character) => `\\${character}`);
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ');
}
