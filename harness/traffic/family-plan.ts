import type { PlanStep, TraceRun } from './trace.ts';

/** A run's plan together with those of its descendants: a family has no names yet. */
export interface FamilyPlan {
  readonly steps: readonly FamilyStep[];
}

/** A step; with `of`, one that starts a child. */
export type FamilyStep = PlanStep & { readonly of?: FamilyPlan };

/** Who a family's root is, and who its descendants are. */
export interface FamilyNames {
  readonly root: Omit<TraceRun, 'plan'>;
  /** Draws the agent of the next descendant. */
  readonly nextAgent: () => string;
}

/** Planned effects of a family, descendants included. */
export function effectsIn({ steps }: FamilyPlan): number {
  return steps.reduce((sum, { of }) => sum + 1 + (of === undefined ? 0 : effectsIn(of)), 0);
}

/** The family with at most `left` effects, 1 or more: cut at its end. A spawn that nothing is left for becomes a call. */
export function cutTo(left: number, { steps }: FamilyPlan): FamilyPlan {
  const kept: FamilyStep[] = [];
  let remaining = left;
  for (const step of steps) {
    if (remaining <= 0) break;
    const cut = cutStep(remaining, step);
    kept.push(cut);
    remaining -= 1 + (cut.of === undefined ? 0 : effectsIn(cut.of));
  }
  return { steps: kept };
}

function cutStep(left: number, step: FamilyStep): FamilyStep {
  if (step.of === undefined) return step;
  if (left > 1) return { ...step, of: cutTo(left - 1, step.of) };
  const { serviceMs, deadlineMs } = step;
  return { capability: 'tool/search', access: 'read', journal: true, serviceMs, deadlineMs };
}

/**
 * The runs of a family, the root first and each parent before its children. A child has its parent's tenant, feature and
 * due time, an agent of its own, and the id `<parent>.<step>`.
 */
export function runsOf(family: FamilyPlan, { root, nextAgent }: FamilyNames): readonly TraceRun[] {
  const descendants: TraceRun[] = [];
  const plan = family.steps.map(({ of, ...step }, index): PlanStep => {
    if (of === undefined) return step;
    const child = `${root.run}.${index}`;
    descendants.push(...runsOf(of, { root: childOf(root, index, child, nextAgent()), nextAgent }));
    return { ...step, child };
  });
  return [{ ...root, plan }, ...descendants];
}

function childOf(
  { dueMs, run, tenant, feature, primed, lineage = [] }: FamilyNames['root'],
  step: number,
  child: string,
  agent: string,
): FamilyNames['root'] {
  const who = { dueMs, run: child, tenant, feature, agent };
  const from = { parent: { run, step }, lineage: [...lineage, run] };
  return primed === undefined ? { ...who, ...from } : { ...who, primed, ...from };
}

/** The run that a run descends from, or itself. */
export function rootOf({ run, lineage }: TraceRun): string {
  return lineage?.[0] ?? run;
}
