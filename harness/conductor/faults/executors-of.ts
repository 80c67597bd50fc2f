import { KilldrillError } from '../../../src/errors.ts';
import type { Executors } from '../../fleet/executors.ts';
import { thingOf } from '../../scenario/fault-meaning.ts';
import type { FaultGround } from '../fault.ts';

/** Whether a fault's target names an executor. */
export function isExecutor(target: string): boolean {
  return thingOf(target)?.thing === 'executor';
}

/** The drill's executors. @throws KilldrillError `EXECUTOR_UNKNOWN` where it has none */
export function executorsOf(name: string, { executors }: FaultGround): Executors {
  if (executors !== null) return executors;
  const message = `there is no executor '${name}': this drill has none; write for example fleet: { executors: 1 }`;
  throw new KilldrillError('EXECUTOR_UNKNOWN', message);
}
