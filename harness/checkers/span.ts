/** A stretch of the drill's monotonic time, nanoseconds since its origin. */
export interface Span {
  readonly fromNs: number;
  readonly toNs: number;
}

export const NS_PER_MS = 1_000_000;

/** Whether two stretches have an instant in common; touching counts, so that a boundary is never lost between two events. */
export function overlaps(one: Span, other: Span): boolean {
  return one.fromNs <= other.toNs && other.fromNs <= one.toNs;
}

export function toMs(ns: number): number {
  return Math.round(ns / 1000) / 1000;
}
