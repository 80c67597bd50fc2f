/** What two multisets have in common. */
export interface Overlap {
  readonly was: number;
  readonly is: number;
  readonly inCommon: number;
  readonly onlyThen: number;
  readonly onlyNow: number;
  /** `inCommon` of all that is in either; null when both are empty. */
  readonly share: number | null;
}

/** Sets two multisets beside each other; what is there twice counts twice. */
export function overlapOf(was: readonly string[], is: readonly string[]): Overlap {
  const left = new Map<string, number>();
  for (const one of was) left.set(one, (left.get(one) ?? 0) + 1);
  let inCommon = 0;
  for (const one of is) {
    const count = left.get(one) ?? 0;
    if (count === 0) continue;
    left.set(one, count - 1);
    inCommon += 1;
  }
  const either = was.length + is.length - inCommon;
  return {
    was: was.length,
    is: is.length,
    inCommon,
    onlyThen: was.length - inCommon,
    onlyNow: is.length - inCommon,
    share: either === 0 ? null : inCommon / either,
  };
}
