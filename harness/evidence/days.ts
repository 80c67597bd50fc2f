const DAY_MS = 86_400_000;

/** Whole days as a calendar writes them: `90d`. */
export const DAYS = /^[1-9]\d{0,3}d$/;

/** Milliseconds of so many written days; null unless it is that. */
export function parseDays(text: string): number | null {
  return DAYS.test(text) ? Number(text.slice(0, -1)) * DAY_MS : null;
}

/** As it is written. */
export function formatDays(ms: number): string {
  return `${ms / DAY_MS}d`;
}

/** The day of an instant, in UTC: `2026-03-31`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
