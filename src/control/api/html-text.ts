/** Text as it may stand anywhere in a page, in attributes too. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A row whose cells carry their column's name, for screens that have no room for a head. Cells are HTML. */
export function rowOfCells(id: string, columns: readonly string[], cells: readonly string[]): string {
  const html = cells.map((cell, nth) => `<td data-label="${escaped(columns[nth] ?? '')}">${cell}</td>`).join('');
  return `<tr data-id="${escaped(id)}">${html}</tr>`;
}

/** A table with a head, around rows that are HTML. */
export function tableOf(id: string, columns: readonly string[], rows: readonly string[]): string {
  const head = columns.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  return `<table>
<thead><tr>${head}</tr></thead>
<tbody id="${id}">${rows.join('\n')}</tbody>
</table>`;
}
