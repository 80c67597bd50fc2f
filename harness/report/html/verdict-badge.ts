import type { Verdict } from '../../checkers/checker.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';

interface Looks {
  readonly tone: 'pass' | 'fail' | 'doubt' | 'none';
  readonly sign: string;
  readonly word: string;
}

/** A verdict has a sign and a word; the colour only repeats them. */
export const LOOKS: Readonly<Record<Verdict, Looks>> = {
  pass: { tone: 'pass', sign: '✓', word: 'pass' },
  fail: { tone: 'fail', sign: '✕', word: 'fail' },
  error: { tone: 'fail', sign: '!', word: 'error' },
  inconclusive: { tone: 'doubt', sign: '?', word: 'inconclusive' },
  not_applicable: { tone: 'none', sign: '–', word: 'not applicable' },
};

export function verdictBadge(verdict: Verdict): Markup {
  const { tone, sign, word } = LOOKS[verdict];
  return markup`<span class="badge tone-${tone}"><span aria-hidden="true">${sign}</span> ${word}</span>`;
}
