import { z } from 'zod';
import { duration, list, map, text } from './leaf.ts';
import { LIMITS } from './limits.ts';
import { LINE } from './line.ts';

const word = text(LINE, { min: 1, max: LIMITS.textLength }, 'one word of a command', '--tenant={target}');
const EXAMPLE = '[./switch, stop, "{scope}", "{target}"]';

const lever = z.union(
  [
    text(LINE, { min: 1, max: LIMITS.textLength }, 'an http URL', 'http://127.0.0.1:8080/stop'),
    list(word, { min: 1, max: LIMITS.commandWords }, 'words', EXAMPLE),
  ],
  { error: `a command as a list of words, or an http URL\nwrite for example ${EXAMPLE}` },
);

/** The switch that a fleet brings itself: how it is pulled, and asked. */
export const leversSchema = map(
  {
    stop: lever.describe(
      'A command (a list of words, no shell) or a URL that is posted to; it says when the stop holds.',
    ),
    release: lever.describe('The same for a release.'),
    status: lever
      .optional()
      .describe('Prints, or answers to a GET, the mode of one switch: a word such as halt_all, or {"mode": …}.'),
    within: duration(LIMITS.leverMs, '5s').prefault('5s').describe('How long one of them may take.'),
  },
  `{ stop: ${EXAMPLE}, release: [./switch, release, "{scope}", "{target}"] }`,
);
export type ReadLevers = z.output<typeof leversSchema>;
