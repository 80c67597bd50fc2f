import { SPAWN_CAPABILITY } from './trace.ts';
import type { PlanStep, TraceRun } from './trace.ts';

export interface LinkComplaint {
  /** Of the run. */
  readonly index: number;
  readonly sentence: string;
}

/** What is wrong between parents and children: a spawn and its child name each other, and lineage follows from that. */
export function linkComplaints(runs: readonly TraceRun[]): readonly LinkComplaint[] {
  const before = new Map<string, TraceRun>();
  const promised = new Map<string, number>();
  const complaints: LinkComplaint[] = [];
  for (const [index, run] of runs.entries()) {
    const complain = (sentence: string): void => void complaints.push({ index, sentence });
    const wrong = parentComplaint(run, before);
    if (wrong !== null) complain(wrong);
    for (const [nth, step] of run.plan.entries()) {
      const odd = stepComplaint(step);
      if (odd !== null) complain(`step ${nth} of run '${run.run}': ${odd}`);
      if (step.child !== undefined) promised.set(step.child, index);
    }
    promised.delete(run.run);
    before.set(run.run, run);
  }
  for (const [child, index] of promised) {
    complaints.push({ index, sentence: `found a spawn of run '${child}', expected that run on a later line` });
  }
  return complaints;
}

function parentComplaint({ run, parent, lineage = [], probe }: TraceRun, before: ReadonlyMap<string, TraceRun>) {
  if (parent === undefined) {
    if (probe === true || lineage.length === 0) return null;
    return `found run '${run}' with a lineage and no parent, expected both or none`;
  }
  const spawned = before.get(parent.run)?.plan[parent.step]?.child;
  if (spawned !== run) {
    return `found run '${run}' as the child of step ${parent.step} of '${parent.run}', expected that step, on an earlier line, to name it`;
  }
  const expected = [...(before.get(parent.run)?.lineage ?? []), parent.run];
  if (JSON.stringify(expected) === JSON.stringify(lineage)) return null;
  return `found the lineage ${lineage.join(', ') || '(none)'} of run '${run}', expected ${expected.join(', ')}`;
}

function stepComplaint({ kind = 'call', capability, child, attached, refusals, delayMs }: PlanStep): string | null {
  const spawns = kind === 'spawn';
  if (spawns !== (child !== undefined)) {
    return spawns ? 'found a spawn without a child' : `found a child of a ${kind}, expected it of a spawn only`;
  }
  if (spawns !== (capability === SPAWN_CAPABILITY)) {
    return `found capability ${capability} of a ${kind}, expected ${SPAWN_CAPABILITY} of spawns and of nothing else`;
  }
  if (attached === true && !spawns) return `found attached of a ${kind}, expected it of a spawn only`;
  const waits = kind === 'timer' || refusals !== undefined;
  if (waits === (delayMs !== undefined)) return null;
  return waits ? `found a ${kind} that waits, and no delayMs` : `found delayMs of a ${kind} that waits for nothing`;
}
