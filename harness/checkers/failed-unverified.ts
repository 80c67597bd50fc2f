import type { Finding } from './checker.ts';
import { hasEnd } from './effects-of.ts';
import { isOnPlane, mayHitWorkers, silencesFleet } from './faults-of.ts';
import { fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';
import { changeEvidence } from './queue-rules.ts';
import { overlaps, toMs } from './span.ts';
import type { Span } from './span.ts';
import { storeNsOf } from './store-time.ts';
import { taskOfStep } from './task-of-step.ts';
import { taskName } from './tasks-of.ts';

/**
 * A task that was being worked on while a fault kept its worker from the store, and that was ended as failed although its
 * downstream has refused nothing of it. Not to know is nobody's verdict (DESIGN §3.6): such a task waits, or is given back.
 * Null when there is none.
 */
export function failedUnverified(index: DrillIndex): Finding | null {
  const windows = unverifiedWindows(index);
  if (windows.length === 0) return null;
  const excused = tasksWithCause(index);
  for (const task of index.tasks.values()) {
    for (const [nth, change] of task.changes.entries()) {
      const claim = task.changes[nth - 1];
      if (change.to !== 'failed' || claim?.to !== 'running' || excused.has(task.id)) continue;
      const claimed: Span = { fromNs: claim.t0, toNs: change.t0 };
      const window = windows.find((one) => overlaps(one, claimed));
      if (window === undefined) continue;
      const lasted = Math.round(toMs(window.toNs - window.fromNs));
      const reason = `${taskName(task)} was ended as failed, though its downstream refused nothing: its worker could not ask the store for ${lasted} ms, which ends no task`;
      return fail(reason, changeEvidence(task, change, null));
    }
  }
  return null;
}

/** When some worker was kept from the store, by the store's clock. */
function unverifiedWindows(index: DrillIndex): readonly Span[] {
  return index.faults.flatMap((fault) => {
    // A clock that is set ends a lease too: what it counted from is not to be trusted any more.
    const isWorkers = mayHitWorkers(fault) && (fault.kind === 'clock' || isOnPlane(fault));
    if (!isWorkers && !silencesFleet(fault)) return [];
    const [fromNs, toNs] = [storeNsOf(index, fault.fromNs), storeNsOf(index, fault.toNs)];
    return fromNs === null || toNs === null ? [] : [{ fromNs, toNs }];
  });
}

/** Tasks of which some call ended in a way that may fail a run. */
export function tasksWithCause({ effects, runs }: DrillIndex): ReadonlySet<string> {
  const failed = effects.filter((effect) => hasEnd(effect, 'failed') || hasEnd(effect, 'closed_by_harness'));
  return new Set(failed.map(({ run, step }) => taskOfStep(runs, run, step).id));
}
