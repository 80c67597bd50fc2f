import type { TimeMapping } from './mapping-schema.ts';

const MS_PER = { s: 1_000, ms: 1, us: 1e-3, ns: 1e-6 } as const;
export type TimeUnit = keyof typeof MS_PER;

const ISO = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?\s?(Z|[+-]\d\d:?\d\d)?$/;

/** Milliseconds since 1970 of what a column says, or what is wrong with it. */
export function readTime(text: string, mapping: TimeMapping): number | { readonly wrong: string } {
  const { unit, zone } = typeof mapping === 'string' ? { unit: 'iso' as const, zone: undefined } : mapping;
  if (unit !== 'iso') return readNumber(text, unit);
  const [, own] = ISO.exec(text) ?? [];
  if (!ISO.test(text))
    return { wrong: `found the time '${text}', expected one such as 2026-05-04T10:00:00.000Z, or a unit` };
  if (own === undefined && zone === undefined) {
    return { wrong: `found the time '${text}' without a zone; say { column: …, zone: '+00:00' } in the mapping` };
  }
  const at = text
    .slice(0, text.length - (own?.length ?? 0))
    .trim()
    .replace(' ', 'T')
    .replace(',', '.');
  const ms = Date.parse(`${at}${(own ?? zone ?? 'Z').replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(ms) ? { wrong: `found the time '${text}', which no calendar has` } : ms;
}

function readNumber(text: string, unit: TimeUnit): number | { readonly wrong: string } {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) return { wrong: `found '${text}', expected a number of ${unit}` };
  return value * MS_PER[unit];
}

/** Milliseconds of a duration that a column says, or what is wrong with it. */
export function readSpanOfTime(text: string, unit: TimeUnit): number | { readonly wrong: string } {
  const ms = readNumber(text, unit);
  return typeof ms === 'number' && ms < 0 ? { wrong: `found a duration of ${text} ${unit}, expected at least 0` } : ms;
}

/** A time as people read it, to the second: `2026-05-04 10:00:00Z`. */
export function timeText(ms: number): string {
  return Math.abs(ms) > 8.64e15
    ? `${ms} ms`
    : new Date(ms)
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z');
}

/** A length of time as people read it: `2 h 0 min 3.1 s`. */
export function lengthText(ms: number): string {
  const seconds = Math.abs(ms) / 1_000;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  const rest = `${Number((seconds % 60).toFixed(1))} s`;
  if (hours > 0) return `${hours} h ${minutes} min ${rest}`;
  return minutes > 0 ? `${minutes} min ${rest}` : rest;
}
