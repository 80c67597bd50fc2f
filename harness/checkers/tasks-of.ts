import type { CriticalRules } from '../../src/store/store.ts';
import type { Subject } from '../../src/switch.ts';
import type { EventOf, HistoryEvent } from '../history/event.ts';
import type { TraceRun } from '../traffic/trace.ts';
import { isCriticalTask } from './critical-of.ts';
import { subjectOf } from './in-scope.ts';

export type TaskChange = EventOf<'store.taskChange'>;

/** One task of the store with everything that became of it. */
export interface WitnessedTask {
  readonly id: string;
  /** As the store has it; null when its row was not there at the end. */
  readonly row: EventOf<'store.task'> | null;
  readonly kind: string;
  /** Its run, when the trace knows it. */
  readonly run: TraceRun | null;
  /** The step that it is; null when it is a whole run. */
  readonly step: number | null;
  /** By the trace's word where it knows the run: the row is the fleet's. */
  readonly subject: Subject;
  /** By what the scenario declares. */
  readonly critical: boolean;
  /** In the store's order. */
  readonly changes: readonly TaskChange[];
}

/** Every task of which the store has a row or a change. */
export function tasksOf(
  events: readonly HistoryEvent[],
  runs: ReadonlyMap<string, TraceRun>,
  critical: CriticalRules,
): ReadonlyMap<string, WitnessedTask> {
  const rows = new Map<string, EventOf<'store.task'>>();
  const changes = new Map<string, TaskChange[]>();
  for (const event of events) {
    if (event.type === 'store.task') rows.set(event.task, event);
    if (event.type !== 'store.taskChange') continue;
    const there = changes.get(event.task);
    if (there === undefined) changes.set(event.task, [event]);
    else there.push(event);
  }
  const tasks = new Map<string, WitnessedTask>();
  for (const id of new Set([...rows.keys(), ...changes.keys()])) {
    const inOrder = (changes.get(id) ?? []).toSorted((one, other) => one.afterRevision - other.afterRevision);
    tasks.set(id, taskOf(id, rows.get(id) ?? null, inOrder, { runs, critical }));
  }
  return tasks;
}

interface Words {
  readonly runs: ReadonlyMap<string, TraceRun>;
  readonly critical: CriticalRules;
}

function taskOf(
  id: string,
  row: EventOf<'store.task'> | null,
  changes: readonly TaskChange[],
  { runs, critical }: Words,
): WitnessedTask {
  const { run, step } = planOf(id, row, runs);
  const capability = step === null ? null : (run?.plan[step]?.capability ?? row?.capability ?? null);
  const subject = run === null ? subjectOfRow(id, row) : subjectOf(run, capability);
  const kind = row?.kind ?? (step === null ? 'run' : (run?.plan[step]?.kind ?? 'webhook'));
  return { id, row, kind, run, step, subject, critical: isCriticalTask(critical, subject), changes };
}

/** A task's id is its run's, or its run's and a step's. */
function planOf(
  id: string,
  row: EventOf<'store.task'> | null,
  runs: ReadonlyMap<string, TraceRun>,
): { readonly run: TraceRun | null; readonly step: number | null } {
  const whole = runs.get(id);
  if (whole !== undefined) return { run: whole, step: null };
  const slash = id.lastIndexOf('/');
  const step = Number(id.slice(slash + 1));
  const run = runs.get(row?.run ?? id.slice(0, slash)) ?? null;
  return { run, step: run?.plan[step] === undefined ? null : step };
}

function subjectOfRow(id: string, row: EventOf<'store.task'> | null): Subject {
  if (row === null) return { tenant: null, feature: null, agent: '', run: id, lineage: [], capability: null };
  const { tenant, feature, agent, run, lineage, capability } = row;
  return { tenant, feature, agent, run, lineage, capability };
}

/** The change that gave a task the state which it had when a flip was made; null when it was not there yet. */
export function changeBefore({ changes }: WitnessedTask, revision: number): TaskChange | null {
  return changes.findLast(({ afterRevision }) => afterRevision < revision) ?? null;
}

/** Its last change by an instant of the store's clock; null when it was not there yet. */
export function changeBy({ changes }: WitnessedTask, atNs: number): TaskChange | null {
  return changes.findLast(({ t0 }) => t0 <= atNs) ?? null;
}

/** Its state at the end: its row's, or else that of its last change. */
export function endState({ row, changes }: WitnessedTask): string | null {
  return row?.state ?? changes.at(-1)?.to ?? null;
}

/** How a sentence names a task. */
export function taskName({ id, kind, subject }: WitnessedTask): string {
  return id === subject.run ? `${kind} ${id}` : `${kind} ${id} of run ${subject.run}`;
}

/** The evidence that one task is. */
export function taskEvidence(task: WitnessedTask): Readonly<Record<string, unknown>> {
  const { id, kind, subject } = task;
  return { task: id, kind, run: subject.run, tenant: subject.tenant, state: endState(task) };
}
