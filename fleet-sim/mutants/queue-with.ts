import type { TaskQueue } from '../../src/index.ts';
import type { Bent } from './mutant.ts';

/** The worker's store with some methods of its queue replaced. */
export function queueWith(bend: (genuine: TaskQueue) => Partial<TaskQueue>): NonNullable<Bent['store']> {
  return (genuine) => ({ ...genuine, tasks: { ...genuine.tasks, ...bend(genuine.tasks) } });
}
