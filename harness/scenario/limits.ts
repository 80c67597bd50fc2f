/** A bound on everything that a scenario can ask for, both ends included. Times in milliseconds. */
export const LIMITS = {
  fileBytes: 65_536,
  aliases: 20,
  seed: { min: 0, max: 4_294_967_295 },
  workers: { min: 1, max: 64 },
  agentsPerWorker: { min: 1, max: 512 },
  executors: { min: 0, max: 8 },
  leaseMs: { min: 200, max: 30_000 },
  commandWords: 64,
  /** Of one lever of the fleet's own switch. */
  leverMs: { min: 100, max: 60_000 },
  effectsPerSecond: { min: 0, max: 5_000 },
  tenants: { min: 1, max: 10_000 },
  steadyMs: { min: 500, max: 600_000 },
  timelineEntries: { min: 1, max: 100 },
  offsetMs: { min: 0, max: 600_000 },
  faultMs: { min: 1, max: 600_000 },
  /** Either way. */
  faultOffsetMs: { min: 1, max: 600_000_000 },
  faultDelayMs: { min: 1, max: 30_000 },
  faultBytesPerSecond: { min: 1, max: 100_000_000 },
  /** Alerts of one entry, of each sort. */
  alerts: { min: 0, max: 10_000 },
  alertTargets: { min: 1, max: 1_000 },
  alertsOverMs: { min: 0, max: 600_000 },
  effectiveMs: { min: 100, max: 600_000 },
  deafTools: { min: 0, max: 16 },
  drainMs: { min: 1, max: 600_000 },
  /** Writes a second at which a detector is red, and those of a runaway. */
  detectorPerSecond: { min: 1, max: 5_000 },
  detectorWindowMs: { min: 100, max: 60_000 },
  /** The n of `after: effect n of …`; a trace plans no more. */
  effectCount: { min: 1, max: 500_000 },
  resumedRuns: { min: 1, max: 1_000 },
  resumedPerSecond: { min: 0.1, max: 10_000 },
  tenantsEveryMs: { min: 1, max: 600_000 },
  compensations: { min: 1, max: 1_000 },
  criticalCapabilities: { min: 0, max: 100 },
  classes: { min: 0, max: 100 },
  switchesPerClass: { min: 1, max: 100 },
  tools: { min: 0, max: 100 },
  holdMs: { min: 0, max: 600_000 },
  settleMs: { min: 0, max: 600_000 },
  budgetMs: { min: 1, max: 60_000 },
  effectsAfterBudget: { min: 0, max: 1_000_000 },
  properties: 100,
  nameLength: 64,
  targetLength: 300,
  textLength: 2_000,
  pathLength: 1_000,
  /** Effects that a trace may plan; more would not fit in memory with their history. */
  traceEffects: 500_000,
} as const;

export interface Range {
  readonly min: number;
  readonly max: number;
}
