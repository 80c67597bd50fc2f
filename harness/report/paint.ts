import type { Verdict } from '../checkers/checker.ts';

const CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
export type Tone = keyof typeof CODES;

/** Colours a text; without colour it is the text itself. */
export type Paint = (text: string, tone: Tone) => string;

export function painter(colour: boolean): Paint {
  return colour ? (text, tone) => `\u001b[${CODES[tone]}m${text}\u001b[0m` : (text) => text;
}

export const TONES: Readonly<Record<Verdict, Tone>> = {
  pass: 'green',
  fail: 'red',
  error: 'red',
  inconclusive: 'yellow',
  not_applicable: 'dim',
};

/** The tone of a word that is a verdict; null of any other. */
export function toneOf(word: string): Tone | null {
  return word in TONES ? TONES[word as Verdict] : null;
}
