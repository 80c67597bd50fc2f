/** A time that has passed, for a person: in one unit, rounded up, such as `12 s`, `3 min` or `5 h`. */
export function ageText(ms: number): string {
  if (ms < 120_000) return `${Math.ceil(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.ceil(ms / 60_000)} min`;
  return `${Math.ceil(ms / 3_600_000)} h`;
}
