import type { FleetSpec, Scenario } from './scenario.ts';

/** The workers of a fleet: worker-1, worker-2 and so on. */
export function workerNames({ workers }: Pick<FleetSpec, 'workers'>): readonly string[] {
  return namesOf('worker', workers);
}

/** The executors of a fleet: executor-1, executor-2 and so on. */
export function executorNames({ executors }: Pick<FleetSpec, 'executors'>): readonly string[] {
  return namesOf('executor', executors);
}

/** The name of the control API among what a fault can be done to. */
export const API = 'api';

/** Whether the drill has a control API: some flip goes over it, or some fault hits it. */
export function hasApi({ timeline }: Pick<Scenario, 'timeline'>): boolean {
  return timeline.some((entry) => {
    if (entry.kind === 'fault') return entry.target === API;
    return (entry.kind === 'flip' || entry.kind === 'release') && entry.via === 'api';
  });
}

/** What a fault can be done to. */
export type Thing = 'postgres' | 'kafka' | 'state-file' | 'worker' | 'executor' | typeof API;

/** What the target of a fault names, and which of several; null for nothing that a drill has. */
export function thingNamed(target: string): { readonly thing: Thing; readonly number: number | null } | null {
  if (target === 'postgres' || target === 'kafka' || target === 'state-file' || target === API)
    return { thing: target, number: null };
  const [, name, number] = /^(worker|executor)-([1-9]\d*)$/.exec(target) ?? [];
  return name === undefined ? null : { thing: name as Thing, number: Number(number) };
}

function namesOf(thing: Thing, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${thing}-${index + 1}`);
}
