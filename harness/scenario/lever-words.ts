import type { Lever } from './scenario.ts';

/** What a lever may be told, in braces. */
export const LEVER_WORDS = ['scope', 'target', 'mode', 'reason', 'id'] as const;
export type LeverWord = (typeof LEVER_WORDS)[number];
export type LeverValues = Readonly<Record<LeverWord, string>>;

const WORD = /\{([A-Za-z]+)\}/g;

/** Every word in braces of a text, known or not. */
export function wordsIn(text: string): readonly string[] {
  return [...text.matchAll(WORD)].map(([, name = '']) => name);
}

/** A lever with its words put in: in a command as they are, each within its own argument; in a URL percent-encoded. */
export function filled(lever: Lever, values: LeverValues): Lever {
  if (lever.kind === 'url') return { kind: 'url', url: fill(lever.url, values, encodeURIComponent) };
  return { kind: 'command', words: lever.words.map((word) => fill(word, values, (value) => value)) };
}

function fill(text: string, values: LeverValues, write: (value: string) => string): string {
  return text.replaceAll(WORD, (whole, name: string) => {
    const known = LEVER_WORDS.find((one) => one === name);
    return known === undefined ? whole : write(values[known]);
  });
}
