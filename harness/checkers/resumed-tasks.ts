import type { DrillIndex } from './index-of.ts';
import type { TaskChange, WitnessedTask } from './tasks-of.ts';

/** A task that came back, by which of its changes. */
export interface Returned {
  readonly task: WitnessedTask;
  readonly change: TaskChange;
}

/** Tasks that an operator brought back: discarded or unknown, and then queued, or parked where a stop still holds them. */
export function resumedTasks({ tasks }: DrillIndex): readonly Returned[] {
  return returned(tasks, ({ from, to }) => {
    return (from === 'discarded' || from === 'unknown') && (to === 'queued' || to === 'parked');
  });
}

/** Tasks that came back by themselves when the last stop that covered them was released. */
export function unparkedTasks({ tasks }: DrillIndex): readonly Returned[] {
  return returned(tasks, ({ from, to }) => from === 'parked' && to === 'queued');
}

function returned(tasks: DrillIndex['tasks'], isReturn: (change: TaskChange) => boolean): readonly Returned[] {
  return [...tasks.values()].flatMap((task) => task.changes.filter(isReturn).map((change) => ({ task, change })));
}

/** The first claim of a task after a change; null when nobody claimed it again. */
export function claimAfter({ task, change }: Returned): TaskChange | null {
  const later = task.changes.slice(task.changes.indexOf(change) + 1);
  return later.find(({ to }) => to === 'running') ?? null;
}
