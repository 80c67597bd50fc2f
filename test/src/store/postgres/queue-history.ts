import type pg from 'pg';
import type { TaskState } from '../../../../src/store/store.ts';
import { switchMatches } from '../../../../src/switch.ts';
import type { Scope, Subject } from '../../../../src/switch.ts';

/**
 * What happened to each task, seen by a trigger on the table, and an oracle that judges each change by the engagements as
 * they were then. The order against flips is the store's: whoever changes a task holds the shared lock, so that the head's
 * revision in the trigger is exact.
 */
export interface Change {
  readonly task: string;
  readonly from: TaskState | null;
  readonly to: TaskState;
  readonly attempts: number;
  readonly stamp: number;
  readonly critical: boolean;
  readonly haltedBy: string | null;
  readonly repeats: boolean;
  /** The last revision that it comes after. */
  readonly revision: number;
  /** Milliseconds of the store's clock: its transaction's begin, and the change itself. */
  readonly beganMs: number;
  readonly atMs: number;
}

export interface EngagementFacts {
  readonly id: string;
  readonly opened: number;
  readonly closed: number | null;
  readonly scope: Scope;
  readonly target: string;
  readonly mode: string;
  readonly queue: string;
  readonly drainUntilMs: number | null;
}

export interface TaskFacts extends Subject {
  readonly id: string;
}

const TRIGGER = `
  create table public.change (
    place bigint generated always as identity, namespace text, task text, "from" text, "to" text, attempts integer, stamp integer,
    critical boolean, halted_by text, repeats boolean, revision integer, began timestamptz, at timestamptz
  );
  create function public.note_change() returns trigger language plpgsql security definer as $$
  begin
    insert into public.change (namespace, task, "from", "to", attempts, stamp, critical, halted_by, repeats, revision, began, at)
    select new.namespace, new.id, case tg_op when 'UPDATE' then old.state end, new.state, new.attempts, new.admitted_revision,
      new.class is not null, new.halted_by, new.repeat is not null, h.revision, now(), clock_timestamp()
    from killdrill.head h where h.namespace = new.namespace;
    return null;
  end $$;
  create trigger note_change after insert or update of state on killdrill.task for each row execute function public.note_change();
`;

export async function watchChanges(owner: pg.Client): Promise<void> {
  await owner.query(TRIGGER);
}

export async function readChanges(owner: pg.Client, namespace: string): Promise<readonly Change[]> {
  const { rows } = await owner.query<Change>(
    `select task, "from", "to", attempts, stamp, critical, halted_by as "haltedBy", repeats, revision,
       extract(epoch from began)::float8 * 1000 as "beganMs", extract(epoch from at)::float8 * 1000 as "atMs"
     from public.change where namespace = $1 order by place`,
    [namespace],
  );
  return rows;
}

export async function readEngagements(owner: pg.Client, namespace: string): Promise<readonly EngagementFacts[]> {
  const { rows } = await owner.query<EngagementFacts>(
    `select id, opened_revision::int as opened, closed_revision::int as closed, scope, target, mode, queue,
       extract(epoch from drain_until)::float8 * 1000 as "drainUntilMs"
     from killdrill.engagement where namespace = $1 order by opened_revision`,
    [namespace],
  );
  return rows;
}

/** What is wrong with this history: a sentence each. */
export function judgeChanges(
  changes: readonly Change[],
  engagements: readonly EngagementFacts[],
  tasks: ReadonlyMap<string, TaskFacts>,
): readonly string[] {
  const wrong: string[] = [];
  const last = new Map<string, TaskState>();
  for (const change of changes) {
    const task = tasks.get(change.task);
    const before = last.get(change.task) ?? null;
    last.set(change.task, change.to);
    if (task === undefined) wrong.push(`${change.task} is nobody's`);
    else for (const why of judge(change, before, task, engagements)) wrong.push(`${why}: ${JSON.stringify(change)}`);
  }
  return wrong;
}

function judge(
  change: Change,
  before: TaskState | null,
  task: TaskFacts,
  all: readonly EngagementFacts[],
): readonly string[] {
  const there = all.filter(({ opened }) => opened <= change.revision);
  const mine = there.filter((one) => switchMatches(one, task) || one.id === change.haltedBy);
  const isDoomed = mine.some((one) => policyOf(one) === 'discard' && one.opened > change.stamp);
  const open = mine.filter(({ closed }) => closed === null || closed > change.revision);
  // A drain's end is a time: the store read its clock between the begin of the transaction and the change.
  const surely = open.some((one) => stops(one, change, change.beganMs));
  const perhaps = open.some((one) => stops(one, change, change.atMs));
  const wrong: string[] = [];
  if (change.from !== before) wrong.push(`its state before was ${before}`);
  if (before === 'done' || before === 'failed') wrong.push('it had ended');
  if (change.to === 'unknown' && before !== 'running') wrong.push('nobody ran it');
  if (change.to === 'done' && before !== 'running' && before !== 'parked') wrong.push('nobody ran it');
  if (change.to === 'running' && isDoomed) wrong.push('a doomed task runs');
  if (change.to === 'running' && surely) wrong.push('a halted task runs');
  if (change.to === 'queued' && isDoomed) wrong.push('a doomed task is queued');
  if (change.to === 'queued' && surely) wrong.push('a halted task is queued');
  if (change.to === 'parked' && isDoomed) wrong.push('a doomed task is parked');
  if (change.to === 'parked' && !perhaps) wrong.push('it is parked, and nothing holds it');
  if (change.to === 'discarded' && !isDoomed && !namedByDiscard(change, there))
    wrong.push('it is discarded, and nothing doomed it');
  if (change.attempts < 0) wrong.push('more attempts were given back than spent');
  return wrong;
}

/** What somebody said had stopped it in the midst discards it, whenever it was let in. */
function namedByDiscard({ haltedBy }: Change, there: readonly EngagementFacts[]): boolean {
  return there.some((one) => one.id === haltedBy && policyOf(one) === 'discard');
}

/** Whether an open engagement stops the task at this time. A drain is no way round for whom it stopped in the midst. */
function stops(one: EngagementFacts, { critical, stamp, haltedBy }: Change, atMs: number): boolean {
  if (one.mode === 'halt_noncritical') return !critical;
  const isDraining = one.queue === 'drain' && one.drainUntilMs !== null && atMs < one.drainUntilMs;
  return !(isDraining && stamp < one.opened && haltedBy !== one.id);
}

function policyOf({ mode, queue }: EngagementFacts): string {
  return mode === 'halt_noncritical' ? 'park' : queue;
}
