import { z } from 'zod';
import type { Range } from './limits.ts';
import { nearest } from './nearest.ts';
import {
  DURATION,
  OFFSET,
  RATE,
  formatDuration,
  formatRate,
  parseDuration,
  parseOffset,
  parseRate,
} from './quantity.ts';

/**
 * The leaves of the scenario's schema. A leaf's message has two lines, so that every error can be told in full: what
 * was expected, and how to mend what was found (`unknown key` messages have a mending line for each key).
 */
interface Saying {
  readonly expected: string;
  readonly example: string;
  /** How to mend a value that is there; defaults to the example. */
  readonly fix?: (input: unknown) => string | null;
}

function say({ expected, example, fix }: Saying): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return {
    error: ({ input }) => {
      const given = input === undefined ? `add it, for example ${example}` : fix?.(input);
      return `${expected}\n${given ?? `write for example ${example}`}`;
    },
  };
}

function nearestBound(value: number, { min, max }: Range, write: (bound: number) => string): string | null {
  if (value < min) return `raise it to at least ${write(min)}`;
  return value > max ? `lower it to at most ${write(max)}` : null;
}

/** A whole number within a range. */
export function count(range: Range, example: number) {
  const said = say({
    expected: `a whole number from ${range.min} to ${range.max}`,
    example: String(example),
    fix: (input) => (typeof input === 'number' ? nearestBound(input, range, String) : null),
  });
  return z.number(said).int(said).min(range.min, said).max(range.max, said);
}

/** A number within a range. */
export function amount(range: Range, example: number) {
  const said = say({
    expected: `a number from ${range.min} to ${range.max}`,
    example: String(example),
    fix: (input) => (typeof input === 'number' ? nearestBound(input, range, String) : null),
  });
  return z.number(said).min(range.min, said).max(range.max, said);
}

/** A time such as `600ms`; its value is in whole milliseconds. */
export function duration(range: Range, example: string) {
  const said = say({
    expected: `a time from ${formatDuration(range.min)} to ${formatDuration(range.max)}, in ms, s or m`,
    example,
    fix: (input) => durationFix(input, range),
  });
  return z
    .string(said)
    .regex(DURATION, said)
    .transform((text, context) => inRange(parseDuration(text), range, text, said.error, context));
}

function durationFix(input: unknown, range: Range): string | null {
  if (typeof input === 'number')
    return input < 0 ? 'a time cannot be negative' : `add the unit: ${input}s or ${input}ms`;
  if (typeof input !== 'string') return null;
  const ms = parseDuration(input);
  if (ms !== null) return nearestBound(ms, range, formatDuration);
  if (DURATION.test(input)) return 'write whole milliseconds';
  if (/^\s*-/u.test(input)) return 'a time cannot be negative';
  const plain = input.replace(/\s+/gu, '').toLowerCase();
  return parseDuration(plain) === null ? null : `write ${plain}`;
}

/** A time that may go back, such as `-10m`; its value is in whole milliseconds, at least and at most so far from nothing. */
export function offset({ min, max }: Range, example: string) {
  const said = say({
    expected: `a time other than nothing, up to ${formatDuration(max)} either way, in ms, s or m`,
    example,
    fix: (input) => (typeof input === 'number' ? `add the unit: ${input}s or ${input}ms` : null),
  });
  return z
    .string(said)
    .regex(OFFSET, said)
    .transform((text, context) => {
      const ms = parseOffset(text);
      if (ms !== null && Math.abs(ms) >= min && Math.abs(ms) <= max) return ms;
      context.addIssue({ code: 'custom', message: said.error({ input: text }), input: text });
      return z.NEVER;
    });
}

/** A rate such as `200/s`; its value is per second. */
export function rate(range: Range, example: string) {
  const said = say({
    expected: `a rate from ${formatRate(range.min)} to ${formatRate(range.max)}`,
    example,
    fix: (input) => rateFix(input, range),
  });
  return z
    .string(said)
    .regex(RATE, said)
    .transform((text, context) => inRange(parseRate(text), range, text, said.error, context));
}

function rateFix(input: unknown, range: Range): string | null {
  if (typeof input === 'number') return input < 0 ? 'a rate cannot be negative' : `add the unit: ${input}/s`;
  if (typeof input !== 'string') return null;
  const perSecond = parseRate(input);
  if (perSecond !== null) return nearestBound(perSecond, range, formatRate);
  return /^\s*-/u.test(input) ? 'a rate cannot be negative' : null;
}

function inRange(
  value: number | null,
  { min, max }: Range,
  input: string,
  message: (issue: { readonly input: unknown }) => string,
  context: z.RefinementCtx,
): number {
  if (value !== null && value >= min && value <= max) return value;
  context.addIssue({ code: 'custom', message: message({ input }), input });
  return z.NEVER;
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  const only = words.length === 1 ? `'${words[0]}', the only one so far` : `one of ${words.join(', ')}`;
  return z.enum(words, say({ expected: only, example: words[0], fix: (input) => wordFix(input, words) }));
}

function wordFix(input: unknown, words: readonly string[]): string | null {
  const meant = typeof input === 'string' ? nearest(input, words) : null;
  return meant === null ? null : `did you mean '${meant}'?`;
}

/** Text of a pattern and of a bounded length. */
export function text(pattern: RegExp, range: Range, expected: string, example: string) {
  const said = say({ expected, example });
  return z.string(said).min(range.min, said).max(range.max, said).regex(pattern, said);
}

/** True or false. */
export function flag() {
  return z.boolean(say({ expected: 'true or false', example: 'false' }));
}

/** A fixed value, such as a version. */
export function exactly<const T extends number | true>(value: T, example: string) {
  return z.literal(value, say({ expected: String(value), example, fix: () => `write ${example}` }));
}

/** A list of a bounded length. */
export function list<T extends z.ZodType>(element: T, range: Range, of: string, example: string) {
  const said = say({ expected: `a list of ${range.min} to ${range.max} ${of}`, example });
  return z.array(element, said).min(range.min, said).max(range.max, said);
}

/** A map that knows only these keys. */
export function map<T extends z.ZodRawShape>(shape: T, example: string) {
  const keys = Object.keys(shape);
  const known = `a map of ${keys.join(', ')}`;
  const other = say({ expected: known, example });
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? unknownKeys(issue.keys, keys) : other.error(issue)),
  });
}

function unknownKeys(found: readonly string[], known: readonly string[]): string {
  const fixes = found.map((key) => {
    const meant = nearest(key, known);
    return meant === null ? 'remove it' : `did you mean '${meant}'?`;
  });
  return [`one of the keys ${known.join(', ')}`, ...fixes].join('\n');
}

interface Keys {
  readonly pattern: RegExp;
  readonly range: Range;
  /** What a key is, and what the keys are together: `the name of a tool`, `tools`. */
  readonly one: string;
  readonly many: string;
}

/** A map whose keys the scenario chooses. */
export function dictionary<T extends z.ZodType>(value: T, { pattern, range, one, many }: Keys, example: string) {
  const count = range.min === 0 ? `at most ${range.max}` : `${range.min} to ${range.max}`;
  const other = say({ expected: `a map of ${count} ${many}`, example });
  const key = say({ expected: one, example });
  // `__proto__` never comes this far as a key of its own: zod leaves it out.
  return z
    .record(z.string().regex(pattern), value, {
      error: (issue) => (issue.code === 'invalid_key' ? key : other).error(issue),
    })
    .refine((found) => Object.keys(found).length >= range.min && Object.keys(found).length <= range.max, other);
}
