import type { EventBody } from '../../../harness/history/event.ts';
import type { TraceRun } from '../../../harness/traffic/trace.ts';
import { revisionAt, STORE_AHEAD_MS } from './clean-times.ts';
import type { Timed } from './history-builder.ts';

type Change = Extract<EventBody, { readonly type: 'store.taskChange' }>;
type Row = Extract<EventBody, { readonly type: 'store.task' }>;

interface Admitted {
  readonly id: string;
  readonly kind: string;
  readonly run: TraceRun;
  readonly steps: readonly number[];
  readonly stamp: number;
  readonly critical: boolean;
}

interface ChangeFacts {
  readonly atMs: number;
  readonly retry?: boolean;
  readonly dueMs?: number;
  readonly stamp?: number;
}

/** The queue's account of the clean drill: every change of a task, and its row at the end. */
export class TaskLog {
  readonly #rows = new Map<string, { row: Row; atMs: number; last: Change }>();
  readonly #changes: Timed[] = [];
  readonly #sent = new Set<string>();

  admit(task: Admitted, atMs: number, dueMs: number, to: 'queued' | 'parked' = 'queued'): void {
    const { id, kind, run, steps, stamp, critical } = task;
    const { tenant, feature, agent, lineage = [] } = run;
    const isStep = kind === 'webhook' || kind === 'timer';
    const capability = isStep ? (run.plan[steps[0] ?? 0]?.capability ?? null) : null;
    const who = { run: run.run, tenant, feature, agent, lineage, capability, critical };
    const row: Row = { type: 'store.task', task: id, kind, ...who, state: to, attempts: 0, admittedRevision: stamp };
    const last = change(null, { task: id, to, atMs, stamp, dueMs, retry: false });
    this.#rows.set(id, { row, atMs, last });
    this.#changes.push({ atMs, body: last });
  }

  change(id: string, to: string, { atMs, retry = false, dueMs, stamp }: ChangeFacts): void {
    const there = this.#rows.get(id);
    if (there === undefined) throw new Error(`the clean drill has no task ${id}`);
    const next = change(there.last, {
      task: id,
      to,
      atMs,
      retry,
      stamp: stamp ?? there.last.admittedRevision,
      dueMs: dueMs ?? there.last.dueNs / 1e6 - STORE_AHEAD_MS,
    });
    const row: Row = { ...there.row, state: to, admittedRevision: next.admittedRevision };
    this.#rows.set(id, { ...there, row, last: next });
    this.#changes.push({ atMs, body: next });
  }

  /** Whether a key was sent before; it is from now on. */
  sent(key: string): boolean {
    const before = this.#sent.has(key);
    this.#sent.add(key);
    return before;
  }

  timed(): readonly Timed[] {
    const rows = [...this.#rows.values()].map(({ row, atMs }): Timed => ({ atMs, body: row }));
    return [...this.#changes, ...rows];
  }
}

function change(
  before: Change | null,
  facts: {
    readonly task: string;
    readonly to: string;
    readonly atMs: number;
    readonly retry: boolean;
    readonly dueMs: number;
    readonly stamp: number;
  },
): Change {
  const { task, to, atMs, retry, dueMs, stamp } = facts;
  return {
    type: 'store.taskChange',
    task,
    from: before?.to ?? null,
    to,
    attempts: (before?.attempts ?? 0) + (to === 'running' ? 1 : 0),
    retry,
    dueNs: (dueMs + STORE_AHEAD_MS) * 1e6,
    admittedRevision: stamp,
    afterRevision: revisionAt(atMs),
  };
}
