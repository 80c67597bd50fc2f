import { z } from 'zod';
import { oneOf } from './leaf.ts';
import { LIMITS } from './limits.ts';
import { LINE } from './line.ts';
import { formatDuration, parseDuration } from './quantity.ts';
import type { Anchor } from './scenario.ts';
import { readSwitch } from './switch-text.ts';

const AT = /^(?:flip\+hold|(?:(?:flip)?\+)?\d{1,9}(?:\.\d{1,6})?(?:ms|s|m))$/;
const AT_EXPECTED = `a moment up to ${formatDuration(LIMITS.offsetMs.max)}: 5s (from the start), +1s (after the entry before), flip+1s or flip+hold`;
const AT_WRONG = { error: `${AT_EXPECTED}\nwrite for example +1s` };

const AFTER = /^effect \d{1,9} of \S/;
const AFTER_EXPECTED = `a count of effects in scope of a switch, from ${LIMITS.effectCount.min} to ${LIMITS.effectCount.max}`;
const AFTER_WRONG = { error: `${AFTER_EXPECTED}\nwrite for example effect 137 of $busiest, or of tenant:acme` };

/** Where in the drill an entry stands; the three exclude each other. */
export const momentShape = {
  when: oneOf(['exposed']).optional().describe('Waits until every worker holds work in scope of the first flip.'),
  at: z
    .string(AT_WRONG)
    .regex(AT, AT_WRONG)
    .transform(toTime)
    .optional()
    .describe('5s: from the start; +1s: after the entry before; flip+1s, flip+hold: after the first flip.'),
  after: z
    .string(AFTER_WRONG)
    .regex(AFTER, AFTER_WRONG)
    .regex(LINE, AFTER_WRONG)
    .transform(toEffect)
    .optional()
    .describe('effect 137 of $busiest: as soon as so many effects in scope of a switch have arrived, from the start.'),
} as const;

function toTime(at: string, context: z.RefinementCtx): Anchor {
  if (at === 'flip+hold') return { kind: 'flip-hold' };
  const kind = at.startsWith('flip+') ? 'flip' : at.startsWith('+') ? 'previous' : 'start';
  const offsetMs = parseDuration(at.slice(at.indexOf('+') + 1));
  if (offsetMs !== null && offsetMs <= LIMITS.offsetMs.max) return { kind, offsetMs };
  context.addIssue({ code: 'custom', message: AT_WRONG.error, input: at });
  return z.NEVER;
}

function toEffect(after: string, context: z.RefinementCtx): Anchor {
  const [, digits = '', name = ''] = /^effect (\d+) of (.*)$/u.exec(after) ?? [];
  const count = Number(digits);
  const on = readSwitch(name);
  if ('scope' in on && count >= LIMITS.effectCount.min && count <= LIMITS.effectCount.max) {
    return { kind: 'effect', count, scope: on.scope, target: on.target };
  }
  const message = 'scope' in on ? AFTER_WRONG.error : `effect ${count} of ${on.expected}\n${on.fix}`;
  context.addIssue({ code: 'custom', message, input: after });
  return z.NEVER;
}
