import type { Scenario } from '../scenario/scenario.ts';
import { drawStep } from './draw-plan.ts';
import type { Names } from './names.ts';
import { PrimedCast, stoppableCapability } from './primed-cast.ts';
import type { Prng } from './prng.ts';
import type { Trace, TraceRun } from './trace.ts';

/** How many probes the harness plants for a stop. */
export const PROBES_PER_STOP = 3;

/**
 * Runs for the harness to plant into the queue behind the back of each stop of the timeline, in its scope. None for a stop of
 * a capability, which covers no run as a whole; none for one that drains, which lets pass what is as old as a probe is made to
 * look.
 *
 * @param scenario with its selectors resolved
 * @param taken ids of other runs
 */
export function drawProbeRuns(
  scenario: Scenario,
  names: Names,
  prng: Prng,
  taken: ReadonlySet<string>,
): readonly TraceRun[] {
  return flipsOf(scenario).flatMap(({ entry, number }) => {
    if (entry.kind !== 'flip' || entry.scope === 'capability' || entry.queue === 'drain') return [];
    const own = prng.split(String(number));
    const cast = new PrimedCast(scenario, entry, names, own);
    const capability = stoppableCapability(scenario, entry);
    return Array.from({ length: PROBES_PER_STOP }, (_, i): TraceRun => {
      const run = freeName(`probe-${number}-${i + 1}`, taken);
      const lineage = entry.scope === 'run' ? { lineage: [entry.target] } : {};
      const plan = [
        drawStep(own, capability === 'agent/spawn' ? 'write/crm' : capability),
        drawStep(own, 'write/mail'),
      ];
      return { dueMs: 0, run, ...cast.next(), ...lineage, probe: true, plan };
    });
  });
}

/**
 * The probes that are there for one stop.
 *
 * @param flip counts the flips and releases of the timeline from 1
 */
export function probesOf({ runs }: Trace, flip: number): readonly TraceRun[] {
  return runs.filter(({ probe, run }) => probe === true && run.startsWith(`probe-${flip}-`));
}

/** The flips and releases of a timeline with their numbers, counted from 1 as the drill counts them. */
export function flipsOf({ timeline }: Pick<Scenario, 'timeline'>) {
  const flips = timeline.filter((entry) => entry.kind === 'flip' || entry.kind === 'release');
  return flips.map((entry, i) => ({ entry, number: i + 1 }));
}

/** Only a scenario that stops a run of such a name itself makes this necessary. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  return taken.has(wanted) ? freeName(`${wanted}x`, taken) : wanted;
}
