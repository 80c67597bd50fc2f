/** The drill's clock: nanoseconds since its origin, from CLOCK_MONOTONIC, so that readings of all processes of one host compare. */
export interface DrillClock {
  readonly originNs: bigint;
  nowNs(): number;
}

/** A clock whose origin is now. */
export function startDrillClock(): DrillClock {
  const originNs = process.hrtime.bigint();
  return { originNs, nowNs: () => Number(process.hrtime.bigint() - originNs) };
}
