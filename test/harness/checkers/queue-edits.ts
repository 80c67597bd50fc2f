import type { EventBody } from '../../../harness/history/event.ts';
import { STORE_AHEAD_MS, revisionAt } from './clean-times.ts';
import { changed, plus, without } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

interface ChangeFacts {
  readonly task: string;
  readonly from: string | null;
  readonly to: string;
  readonly atMs: number;
  readonly stamp?: number;
  readonly retry?: boolean;
  readonly dueMs?: number;
  readonly afterRevision?: number;
}

/** One change of a task's state that a test adds. */
export function taskChange({
  task,
  from,
  to,
  atMs,
  stamp = 0,
  retry = false,
  dueMs = atMs,
  afterRevision,
}: ChangeFacts): Timed {
  const at = { dueNs: (dueMs + STORE_AHEAD_MS) * 1e6, admittedRevision: stamp };
  const when = { afterRevision: afterRevision ?? revisionAt(atMs) };
  return { atMs, body: { type: 'store.taskChange', task, from, to, attempts: 1, retry, ...at, ...when } };
}

type Body<T extends EventBody['type']> = Extract<EventBody, { readonly type: T }>;

/** The drill in which a task's changes that satisfy a condition never happened. */
export function unchanged(
  draft: DraftDrill,
  task: string,
  which: (body: Body<'store.taskChange'>, atMs: number) => boolean = () => true,
): DraftDrill {
  return without(
    draft,
    ({ body, atMs }) => body.type === 'store.taskChange' && body.task === task && which(body, atMs),
  );
}

/** The drill at whose end a task is in another state. */
export function endingAs(draft: DraftDrill, task: string, state: string): DraftDrill {
  return changed(draft, (timed) =>
    timed.body.type === 'store.task' && timed.body.task === task ? { ...timed, body: { ...timed.body, state } } : timed,
  );
}

/** A task that took another way from some instant on: its later changes are these, and its row says the last of them. */
export function otherwise(
  draft: DraftDrill,
  task: string,
  fromMs: number,
  ...changes: readonly Omit<ChangeFacts, 'task'>[]
): DraftDrill {
  const cut = unchanged(draft, task, (_, atMs) => atMs >= fromMs);
  const added = plus(cut, ...changes.map((facts) => taskChange({ task, ...facts })));
  const last = changes.at(-1);
  return last === undefined ? added : endingAs(added, task, last.to);
}
