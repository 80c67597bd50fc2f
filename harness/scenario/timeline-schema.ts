import { z } from 'zod';
import { SCOPES, STOP_MODES } from '../../src/switch.ts';
import type { Anchor } from './scenario.ts';
import { duration, map, oneOf, text } from './leaf.ts';
import { LIMITS } from './limits.ts';
import { formatDuration, parseDuration } from './quantity.ts';

export const FAULT_KINDS = ['kill', 'pause', 'restart', 'cut'] as const;
export const PLANES = ['registry', 'work'] as const;

/** One line, no control characters, no half of a surrogate pair: it goes into signed texts and tables. */
export const LINE = /^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u;
const AT = /^(?:flip\+hold|(?:(?:flip)?\+)?\d{1,9}(?:\.\d{1,6})?(?:ms|s|m))$/;
const AT_EXPECTED = `a moment up to ${formatDuration(LIMITS.offsetMs.max)}: 5s (from the start), +1s (after the entry before), flip+1s or flip+hold`;

const target = text(LINE, { min: 1, max: LIMITS.targetLength }, 'the name of a target, or a selector', 'acme');
const reason = text(LINE, { min: 1, max: LIMITS.textLength }, 'a reason of one line', 'write-rate anomaly');

/** Where in the drill an entry stands; `when` and `at` exclude each other. */
const moment = {
  when: oneOf(['exposed']).optional().describe('Waits until every worker holds work in scope of the first flip.'),
  at: z
    .string({ error: `${AT_EXPECTED}\nwrite for example +1s` })
    .regex(AT, { error: `${AT_EXPECTED}\nwrite for example +1s` })
    .transform(toAnchor)
    .optional()
    .describe('5s: from the start; +1s: after the entry before; flip+1s, flip+hold: after the first flip.'),
};

function toAnchor(at: string, context: z.RefinementCtx): Anchor {
  if (at === 'flip+hold') return { kind: 'flip-hold' };
  const kind = at.startsWith('flip+') ? 'flip' : at.startsWith('+') ? 'previous' : 'start';
  const offsetMs = parseDuration(at.slice(at.indexOf('+') + 1));
  if (offsetMs !== null && offsetMs <= LIMITS.offsetMs.max) return { kind, offsetMs };
  context.addIssue({ code: 'custom', message: `${AT_EXPECTED}\nwrite for example +1s`, input: at });
  return z.NEVER;
}

const flip = map(
  {
    scope: oneOf(SCOPES),
    target: target.optional().describe('Absent or * for global; $busiest, $busiestCapability or $primedRun.'),
    mode: oneOf(STOP_MODES),
    queue: oneOf(['discard']).prefault('discard').describe('What becomes of queued work in scope.'),
    via: oneOf(['postgres']).prefault('postgres').describe('The path by which the stop is taken.'),
    reason: reason.optional(),
  },
  '{ scope: tenant, target: $busiest, mode: halt_all }',
);

const release = map(
  { scope: oneOf(SCOPES), target: target.optional(), reason: reason.optional() },
  '{ scope: tenant, target: $busiest }',
);

const fault = map(
  {
    kind: oneOf(FAULT_KINDS),
    target: text(LINE, { min: 1, max: LIMITS.nameLength }, 'postgres, or a worker such as worker-1', 'postgres'),
    plane: oneOf(PLANES).optional().describe('What a cut cuts.'),
    for: duration(LIMITS.faultMs, '3s').optional().describe('Without it, the fault lasts until the end of the drill.'),
  },
  '{ kind: kill, target: postgres, for: 3s }',
);

const EXAMPLE = '{ at: +1s, fault: { kind: kill, target: postgres, for: 3s } }';

/** The kinds of timeline entries, by the key that makes them one. */
export const ENTRY_SCHEMAS = {
  flip: map({ ...moment, flip }, EXAMPLE),
  release: map({ ...moment, release }, EXAMPLE),
  fault: map({ ...moment, fault }, EXAMPLE),
} as const;
export const ENTRY_KEYS = ['flip', 'release', 'fault'] as const;

/** One entry of the timeline: a flip, a release or a fault, and when. */
export const entrySchema = z.union([ENTRY_SCHEMAS.flip, ENTRY_SCHEMAS.release, ENTRY_SCHEMAS.fault]);
export type ReadEntry = z.output<typeof entrySchema>;
