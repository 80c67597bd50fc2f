import { KilldrillError } from '../../../src/errors.ts';
import type { Executors } from '../../fleet/executors.ts';
import { thingNamed } from '../../scenario/crew.ts';
import type { FaultGround } from '../fault.ts';

/** Whether a fault's target names an executor. */
export function isExecutor(target: string): boolean {
  return thingNamed(target)?.thing === 'executor';
}

/** The drill's executors. @throws KilldrillError `EXECUTOR_UNKNOWN` where it has none */
export function executorsOf(name: string, { executors }: FaultGround): Executors {
  if (executors !== null) return executors;
  const message = `there is no executor '${name}': this drill has none; write for example fleet: { executors: 1 }`;
  throw new KilldrillError('EXECUTOR_UNKNOWN', message);
}
