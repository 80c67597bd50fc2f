import type { PlanStep, TraceRun } from '../../../harness/traffic/trace.ts';

/** What is on record when everything has come to its end. */
export interface KillRecord {
  /** Ids of the runs whose enqueueing was answered. */
  readonly letIn: readonly string[];
  /** Every run by its name, children included. */
  readonly runs: ReadonlyMap<string, TraceRun>;
  readonly tasks: readonly TaskEndRow[];
  /** In the order in which each task changed; by the harness's trigger. */
  readonly changes: readonly TaskChange[];
  /** The world's own word: every call that it did not refuse, and every key that landed. */
  readonly accepted: readonly string[];
  readonly landed: ReadonlySet<string>;
  readonly journal: readonly JournalRow[];
  /** Tasks that resumes have brought back, by their answers. */
  readonly resumed: number;
  /** What the world could not tell whose it was. */
  readonly unattributed: number;
}

export interface TaskEndRow {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
}

export interface TaskChange {
  readonly task: string;
  readonly from: string | null;
  readonly to: string;
}

export interface JournalRow {
  readonly key: string;
  /** The task under whose claim it was. */
  readonly task: string;
  readonly outcome: string | null;
}

const ENDS = new Set(['done', 'failed']);

/** Everything that is wrong, a sentence each; empty when conservation holds and each run ended once. */
export function judgeKills(record: KillRecord): readonly string[] {
  return [
    ...lostTasks(record),
    ...endedOnce(record),
    ...broughtBack(record),
    ...sentOnce(record),
    ...openIntents(record),
    ...doneRuns(record),
  ];
}

function lostTasks({ letIn, tasks, changes, unattributed }: KillRecord): readonly string[] {
  const there = new Set(tasks.map(({ id }) => id));
  const inserted = new Set(changes.filter(({ from }) => from === null).map(({ task }) => task));
  return [
    ...letIn.filter((id) => !there.has(id)).map((id) => `run ${id} was let in and is lost`),
    ...[...inserted].filter((id) => !there.has(id)).map((id) => `task ${id} was in the queue and is lost`),
    ...tasks.filter(({ state }) => !ENDS.has(state)).map(({ id, state }) => `task ${id} is left ${state}`),
    ...(unattributed > 0 ? [`the world got ${unattributed} calls of nobody`] : []),
  ];
}

/** One story without a gap, with one end. */
function endedOnce({ tasks, changes }: KillRecord): readonly string[] {
  const stories = new Map<string, TaskChange[]>();
  for (const change of changes) stories.set(change.task, [...(stories.get(change.task) ?? []), change]);
  return tasks.flatMap(({ id, state }) => {
    const story = stories.get(id) ?? [];
    const told = story.map(({ to }) => to).join(' > ');
    const gap = story.findIndex(({ from }, at) => from !== (story[at - 1]?.to ?? null));
    const ends = story.filter(({ to }) => ENDS.has(to)).length;
    return [
      ...(gap >= 0 ? [`task ${id} has a gap at ${gap}: ${told}`] : []),
      ...(ends > 1 ? [`task ${id} ended ${ends} times: ${told}`] : []),
      ...(story.at(-1)?.to === state ? [] : [`task ${id} is ${state}, and its story is ${told}`]),
    ];
  });
}

function broughtBack({ changes, resumed }: KillRecord): readonly string[] {
  const back = changes.filter(({ from }) => from === 'discarded' || from === 'unknown').length;
  return back === resumed ? [] : [`${back} tasks came back, and the operator's resumes brought back ${resumed}`];
}

/** A call that the world has taken is not sent again, unless that was declared harmless. */
function sentOnce({ accepted, runs }: KillRecord): readonly string[] {
  const times = new Map<string, number>();
  for (const key of accepted) times.set(key, (times.get(key) ?? 0) + 1);
  return [...times]
    .filter(([key, count]) => count > 1 && !isRepeatable(stepOf(runs, key)))
    .map(([key, count]) => `${key} was sent ${count} times`);
}

/** Nobody knows what became of it: its task must have been `unknown`, for an operator to look at. */
function openIntents({ journal, changes, landed }: KillRecord): readonly string[] {
  const unknown = new Set(changes.filter(({ to }) => to === 'unknown').map(({ task }) => task));
  const open = journal.filter(({ outcome, task }) => outcome === null && !unknown.has(task));
  const claimed = journal.filter(({ outcome, key }) => outcome === 'landed' && !landed.has(key));
  return [
    ...open.map(({ key, task }) => `${key} was left open, and task ${task} went on as if nothing were`),
    ...claimed.map(({ key }) => `${key} has landed by the journal, and not by the world`),
  ];
}

/** Of what is done, every step has landed, or was passed over since nobody knew. */
function doneRuns(record: KillRecord): readonly string[] {
  const states = new Map(record.tasks.map(({ id, state }) => [id, state]));
  const mayHave = new Set(
    record.journal.filter(({ outcome }) => outcome === null || outcome === 'unknown').map(({ key }) => key),
  );
  const missing = (key: string, step: PlanStep): readonly string[] => {
    if (record.landed.has(key)) return [];
    if (mayHave.has(key) && !isRepeatable(step)) return [];
    return [`${key} (${step.kind ?? 'call'}) has not landed, and what it belongs to is done`];
  };
  const ofRun = (name: string): readonly string[] =>
    (record.runs.get(name)?.plan ?? []).flatMap((step, at) => {
      const key = `${name}/${at}`;
      if (step.kind !== 'webhook' && step.kind !== 'timer')
        return [...missing(key, step), ...(step.attached === true ? ofRun(step.child ?? '') : ofTask(step.child))];
      return states.has(key) ? [] : [`task ${key} was never queued, and its run is done`];
    });
  const ofTask = (child: string | undefined): readonly string[] =>
    child === undefined || states.has(child) ? [] : [`child ${child} was never queued, and its parent is done`];
  return record.tasks
    .filter(({ state }) => state === 'done')
    .flatMap(({ id, kind }) => {
      if (kind === 'run' || kind === 'child') return ofRun(id);
      const step = stepOf(record.runs, id);
      return step === undefined ? [`task ${id} is of no run`] : missing(id, step);
    });
}

function isRepeatable(step: PlanStep | undefined): boolean {
  return step?.idempotent === true || step?.kind === 'spawn';
}

function stepOf(runs: ReadonlyMap<string, TraceRun>, key: string): PlanStep | undefined {
  const [run = '', at = ''] = key.split('/');
  return runs.get(run)?.plan[Number(at)];
}
