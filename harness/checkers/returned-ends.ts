import type { Finding } from './checker.ts';
import { takesNs } from './expected-flow.ts';
import { fail } from './finding.ts';
import { mayHitWorkers } from './faults-of.ts';
import { sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { NS_PER_MS, toMs } from './span.ts';
import { latestStoreNsOf, storeNsOf } from './store-time.ts';
import { endState, taskEvidence, taskName } from './tasks-of.ts';
import type { WitnessedTask } from './tasks-of.ts';
import { died } from './workers-of.ts';

/** What came back together waits for a free agent. */
const CATCH_UP_NS = 3000 * NS_PER_MS;

/** A returned task that had the time to end and did not; null when it ended, or is held again, or ran out of time. */
export function neverEnded(index: DrillIndex, task: WitnessedTask): Finding | null {
  const state = endState(task);
  if (state !== 'queued' && state !== 'running' && state !== 'unknown') return null;
  const back = task.changes.findLast(({ to }) => to === 'queued');
  const endNs = storeNsOf(index, index.arrivalsEndNs);
  if (back === undefined || endNs === null) return null;
  const startNs = Math.max(back.t0, back.dueNs);
  if (
    startNs + CATCH_UP_NS > endNs ||
    startNs + leftNs(index, task) + CATCH_UP_NS > endNs ||
    isDisturbed(index, startNs)
  )
    return null;
  const waited = Math.round(toMs(endNs - startNs));
  return fail(`${taskName(task)} came back and is ${state} ${waited} ms after it was due again`, {
    ...taskEvidence(task),
    dueForMs: waited,
    arrivalsEndAtMs: sinceT0(index, index.arrivalsEndNs),
  });
}

/** What its plan takes, less what had arrived for certain before it came back: that is passed over. */
function leftNs(index: DrillIndex, { run, step, changes }: WitnessedTask): number {
  if (run === null) return 0;
  const backNs = changes.findLast(({ from }) => from === 'parked' || from === 'discarded' || from === 'unknown')?.t0;
  const hasArrived = (nth: number): boolean =>
    (index.byStep.get(`${run.run}/${nth}`) ?? []).some(({ t1 }) => (latestStoreNsOf(index, t1) ?? 0) < (backNs ?? 0));
  let totalNs = 0;
  for (const nth of run.plan.keys()) {
    const isOwn = step === null || step === nth;
    if (isOwn && !hasArrived(nth)) totalNs += takesNs(index, run, nth) ?? 0;
  }
  return totalNs;
}

function isDisturbed(index: DrillIndex, fromNs: number): boolean {
  const isSince = (ns: number): boolean => (storeNsOf(index, ns) ?? Number.POSITIVE_INFINITY) >= fromNs;
  const faulty = index.faults.some((fault) => mayHitWorkers(fault) && isSince(fault.toNs));
  return faulty || [...index.incarnations.values()].some((life) => died(life) && isSince(life.exit?.t1 ?? 0));
}
