/** Text that is HTML already; everything else is escaped when it is put into a page. */
export class Markup {
  readonly html: string;

  constructor(html: string) {
    this.html = html;
  }
}

export type Content = Markup | string | number | null | readonly Content[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** What no page may hold, and what would turn the order of the text around it: shown as a mark, never obeyed. */
const UNSAFE = /(?![\n\t])\p{Cc}|\p{Cs}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A template whose values are escaped, unless they are markup themselves; null is nothing, a list is its items. */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let made = strings[0] ?? '';
  for (const [nth, value] of values.entries()) made += `${inPage(value)}${strings[nth + 1] ?? ''}`;
  return new Markup(made);
}

/** Markup that this program wrote itself: a style, a script, the data of a path. Never what came from outside. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function inPage(content: Content): string {
  if (content === null) return '';
  if (content instanceof Markup) return content.html;
  if (typeof content === 'number') return String(content);
  if (typeof content === 'string') return escaped(content);
  return content.map(inPage).join('');
}

function escaped(text: string): string {
  return text.replaceAll(UNSAFE, '\ufffd').replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
