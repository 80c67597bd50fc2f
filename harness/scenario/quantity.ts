const UNIT_MS = { ms: 1, s: 1_000, m: 60_000 } as const;

/** A time as a scenario writes it: `600ms`, `1.2s`, `1m`. */
export const DURATION = /^\d{1,9}(?:\.\d{1,6})?(?:ms|s|m)$/;

/** A rate as a scenario writes it: `200/s`, `0.5/s`. */
export const RATE = /^\d{1,9}(?:\.\d{1,3})?\/s$/;

/** Milliseconds of a written time; null unless it is one and comes to whole milliseconds. */
export function parseDuration(text: string): number | null {
  if (!DURATION.test(text)) return null;
  const [, digits = '', unit = 'ms'] = /^([\d.]+)(ms|s|m)$/.exec(text) ?? [];
  const ms = Number(digits) * (unit === 'm' ? UNIT_MS.m : unit === 's' ? UNIT_MS.s : UNIT_MS.ms);
  const whole = Math.round(ms);
  // 1.2 * 1000 need not be 1200 exactly; anything further away was a fraction on purpose.
  return Math.abs(ms - whole) < 1e-6 ? whole : null;
}

/** A time that may go back: `-10m`, `1.2s`. */
export const OFFSET = /^-?\d{1,9}(?:\.\d{1,6})?(?:ms|s|m)$/;

/** Milliseconds of a written offset, negative for one that goes back; null unless it is one and comes to whole milliseconds. */
export function parseOffset(text: string): number | null {
  const ms = parseDuration(text.replace(/^-/, ''));
  return ms !== null && text.startsWith('-') ? -ms : ms;
}

/** As it is written. */
export function formatOffset(ms: number): string {
  return ms < 0 ? `-${formatDuration(-ms)}` : formatDuration(ms);
}

/** Whole milliseconds in the largest unit that writes them without a fraction. */
export function formatDuration(ms: number): string {
  if (ms !== 0 && ms % UNIT_MS.m === 0) return `${ms / UNIT_MS.m}m`;
  return ms % UNIT_MS.s === 0 ? `${ms / UNIT_MS.s}s` : `${ms}ms`;
}

/** Events per second of a written rate; null unless it is one. */
export function parseRate(text: string): number | null {
  return RATE.test(text) ? Number(text.slice(0, -2)) : null;
}

/** A rate per second, as a scenario writes it; given at most three decimals. */
export function formatRate(perSecond: number): string {
  return `${perSecond}/s`;
}
