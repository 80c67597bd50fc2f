import type { PlanStep, TraceRun } from '../traffic/trace.ts';

/** A step as a fleet is told of it: not how long it takes, whether it is refused, or what it starts. */
export interface HandedStep extends Omit<PlanStep, 'serviceMs' | 'refusals' | 'child'> {
  readonly kind: NonNullable<PlanStep['kind']>;
}

/** The part of `/work` and of `POST /runs` that says what to do. */
export function handedRun({ run, tenant, feature, agent, plan }: TraceRun) {
  return { run, tenant, feature, agent, plan: plan.map(handedStep) };
}

function handedStep({
  kind = 'call',
  serviceMs: _ms,
  refusals: _refusals,
  child: _child,
  ...rest
}: PlanStep): HandedStep {
  return { kind, ...rest };
}
