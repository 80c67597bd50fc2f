import type { Scenario } from '../scenario/scenario.ts';
import { CAPABILITIES } from './capabilities.ts';
import type { Names } from './names.ts';
import { PrimedCast } from './primed-cast.ts';
import { flipsOf, freeName } from './probe-runs.ts';
import type { Prng } from './prng.ts';
import type { PlanStep, Trace, TraceRun } from './trace.ts';

/**
 * One runaway run: an agent in a loop, that writes as soon as the last write has landed. On a busy machine, with what a
 * gate, a fence and a call take besides, these come to `writesPerSecond`; on a quiet one to twice that.
 */
export const RUNAWAY_RUN = { serviceMs: 30, writesPerSecond: 10, writes: 250 } as const;

const WRITE: PlanStep = {
  ...{ capability: 'write/crm', access: CAPABILITIES['write/crm'], journal: true },
  ...{ serviceMs: RUNAWAY_RUN.serviceMs, deadlineMs: 2_000 },
};

/**
 * Runs for the conductor to let loose at each stop that the fleet's detectors are to ask for, in its scope. They do nothing
 * but write, for ten seconds and more if nobody stops them.
 *
 * @param scenario with its selectors resolved
 * @param taken ids of other runs
 */
export function drawRunawayRuns(
  scenario: Scenario,
  names: Names,
  prng: Prng,
  taken: ReadonlySet<string>,
): readonly TraceRun[] {
  return flipsOf(scenario).flatMap(({ entry, number }) => {
    if (entry.kind !== 'flip' || entry.runawayPerSecond === null) return [];
    const cast = new PrimedCast(scenario, entry, names, prng.split(String(number)));
    const count = Math.ceil(entry.runawayPerSecond / RUNAWAY_RUN.writesPerSecond);
    const plan = Array.from({ length: RUNAWAY_RUN.writes }, () => WRITE);
    return Array.from({ length: count }, (_, i): TraceRun => {
      const run = freeName(`runaway-${number}-${String(i + 1).padStart(3, '0')}`, taken);
      return { dueMs: 0, run, ...cast.next(), runaway: true, plan };
    });
  });
}

/**
 * The runaways that are there for one stop.
 *
 * @param flip counts the flips and releases of the timeline from 1
 */
export function runawaysOf({ runs }: Pick<Trace, 'runs'>, flip: number): readonly TraceRun[] {
  return runs.filter((run) => isRunawayOf(run, flip));
}

/** Whether a run is a runaway that was let loose for this stop. */
export function isRunawayOf({ runaway, run }: TraceRun, flip: number): boolean {
  return runaway === true && run.startsWith(`runaway-${flip}-`);
}
