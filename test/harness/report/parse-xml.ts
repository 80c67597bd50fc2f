export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** A strict reader of the XML that has elements, attributes and white space only; throws at anything else. */
export function parseXml(text: string): XmlElement {
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text))
    throw new Error('a character that XML forbids');
  const body = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/, '');
  const root = { name: '', attributes: {}, children: [] as XmlElement[] };
  const open: { name: string; children: XmlElement[] }[] = [root];
  const token = /\s*<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>/gy;
  while (token.lastIndex < body.trimEnd().length) {
    const at = token.lastIndex;
    const found = token.exec(body);
    if (found === null) throw new Error(`no XML at: ${body.slice(at, at + 60)}`);
    const [, end, name = '', attributes = '', alone] = found;
    if (end === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> ends nothing`);
      continue;
    }
    const element = { name, attributes: attributesOf(attributes), children: [] as XmlElement[] };
    open.at(-1)?.children.push(element);
    if (alone !== '/') open.push(element);
  }
  const [only, ...others] = root.children;
  if (only === undefined || others.length > 0 || open.length !== 1) throw new Error('expected one element, closed');
  return only;
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, name = '', value = '']) => {
    const plain = value.replaceAll(/&([^;]*);?/g, (whole, entity: string) => {
      const character = whole.endsWith(';') ? ENTITIES[entity] : undefined;
      if (character === undefined) throw new Error(`no entity: ${whole}`);
      return character;
    });
    return [name, plain] as const;
  });
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) throw new Error('an attribute twice');
  return Object.fromEntries(pairs);
}
