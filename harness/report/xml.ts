/** What XML 1.0 may not hold at all, and lone halves of characters. */
const UNSAFE = /(?![\t\n\r])[\u0000-\u001f]|[\ufffe\uffff]|\p{Cs}/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** A text that may stand between tags and in attributes. */
export function inXml(text: string): string {
  const spaced = text.replaceAll(/[\t\r\n]/g, ' ');
  return spaced.replaceAll(UNSAFE, '\ufffd').replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

/** One element; attributes that are null are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | null>>,
  children: readonly string[] = [],
): string {
  const given = Object.entries(attributes).filter(([, value]) => value !== null);
  const open = [name, ...given.map(([key, value]) => `${key}="${inXml(String(value))}"`)].join(' ');
  if (children.length === 0) return `<${open}/>`;
  return `<${open}>\n${children.map(indented).join('\n')}\n</${name}>`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
