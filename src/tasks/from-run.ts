import { KilldrillError } from '../errors.ts';
import { shown } from '../name.ts';
import { currentRun } from '../run-context.ts';
import type { Due, NewTask, PastDue } from '../store/store.ts';

/** Work that a run wants to have done later, or apart from itself. */
export interface LaterWork {
  /** Unique for ever, and the same at each attempt: queueing it twice queues it once. */
  readonly id: string;
  /** What it does as a whole, such as `webhook/notify`; a capability stop then covers it. Default null, several things. */
  readonly capability?: string | null;
  /** Any JSON value. */
  readonly plan: unknown;
  /** Default now. */
  readonly due?: Due;
  /** Default `fire`. */
  readonly pastDue?: PastDue;
  /** `every 60000` in milliseconds, or five fields of cron in UTC. Default null, once. */
  readonly repeat?: string | null;
}

/** A run that descends from the current one. */
export interface ChildWork extends Omit<LaterWork, 'id'> {
  /** The child's run id, and its task's. */
  readonly run: string;
  /** Default: the parent's, like tenant and feature. */
  readonly agent?: string;
  readonly tenant?: string | null;
  readonly feature?: string | null;
}

/**
 * An outgoing webhook of the current run. Queue it instead of sending it: what is in the outbox is on record before
 * anything leaves, and a stop holds it there.
 *
 * @throws KilldrillError `NO_RUN` outside of a run; so do `timerTask` and `childTask`.
 */
export function webhookTask(work: LaterWork & { readonly capability: string }): NewTask {
  return { ...ofCurrentRun(), kind: 'webhook', ...laterOf(work), id: work.id };
}

/** Something that the current run wants to happen at a time: a timer is a task, so that a stop finds it in the store. */
export function timerTask(work: LaterWork & { readonly due: Due }): NewTask {
  return { ...ofCurrentRun(), kind: 'timer', ...laterOf(work), id: work.id };
}

/** A child of the current run, bound by every stop of its ancestors for ever. */
export function childTask(work: ChildWork): NewTask {
  const parent = ofCurrentRun();
  return {
    ...parent,
    kind: 'child',
    ...laterOf(work),
    id: work.run,
    run: work.run,
    agent: work.agent ?? parent.agent,
    tenant: work.tenant === undefined ? parent.tenant : work.tenant,
    feature: work.feature === undefined ? parent.feature : work.feature,
    lineage: [...parent.lineage, parent.run],
  };
}

/**
 * At this instant: a `Date`, or ISO 8601 text with its zone.
 *
 * @throws KilldrillError `TASK_INVALID` for a date that is none.
 */
export function at(time: Date | string): Due {
  if (typeof time === 'string') return { kind: 'at', at: time };
  if (!Number.isNaN(time.getTime())) return { kind: 'at', at: time.toISOString() };
  throw new KilldrillError('TASK_INVALID', `a task cannot be queued: it is due at '${shown(time)}', which is no date`);
}

/** So many milliseconds after it was let in, by the store's clock. */
export function after(ms: number): Due {
  return { kind: 'in', ms };
}

function ofCurrentRun(): Pick<NewTask, 'run' | 'agent' | 'tenant' | 'feature' | 'lineage'> {
  const { run, agent, tenant, feature, lineage } = currentRun().subject;
  return { run, agent, tenant, feature, lineage };
}

function laterOf({ capability, plan, due, pastDue, repeat }: Omit<LaterWork, 'id'>) {
  return {
    capability: capability ?? null,
    plan,
    due: due ?? ({ kind: 'now' } as const),
    pastDue: pastDue ?? ('fire' as const),
    repeat: repeat ?? null,
  };
}
