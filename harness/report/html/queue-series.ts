import type { DrillIndex } from '../../checkers/index-of.ts';
import type { Window } from './axis.ts';

/** What waits and what became of it, in the order in which it is drawn. */
export const QUEUE_STATES = ['queued', 'running', 'parked', 'discarded', 'done', 'failed', 'unknown'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

export interface QueueSeries {
  /** Milliseconds of the store's clock since the first stop, or since the first change where there was no stop. */
  readonly window: Window;
  readonly since: 'first stop' | 'first change';
  /** When each stop was opened and closed, on the same clock. */
  readonly stops: readonly Window[];
  /** Of each state that ever held a task: the most that it held in each of `SAMPLES` equal stretches. */
  readonly states: readonly { readonly state: QueueState; readonly counts: readonly number[] }[];
}

export const SAMPLES = 400;

/** How many tasks were in each state, from the store's own record of changes; null when none was witnessed. */
export function queueSeries({ tasks, engagements }: DrillIndex): QueueSeries | null {
  const changes = [...tasks.values()]
    .flatMap((task) => task.changes)
    .toSorted((one, other) => one.t0 - other.t0 || one.seq - other.seq);
  const [first] = changes;
  const last = changes.at(-1);
  if (first === undefined || last === undefined || last.t0 <= first.t0) return null;
  const zeroNs = engagements[0]?.atNs ?? first.t0;
  const toMs = (ns: number): number => (ns - zeroNs) / 1e6;
  const window = { fromMs: toMs(first.t0), toMs: toMs(last.t0) };
  const held = new Map<string, number>();
  const peaks = new Map(QUEUE_STATES.map((state) => [state as string, new Peaks()]));
  for (const { task: _task, from, to, t0 } of changes) {
    const slot = Math.min(SAMPLES - 1, Math.floor(((t0 - first.t0) / (last.t0 - first.t0)) * SAMPLES));
    if (from !== null) move(held, peaks, from, -1, slot);
    move(held, peaks, to, 1, slot);
  }
  const stops = engagements.map(({ atNs, closedAtNs }) => ({
    fromMs: toMs(atNs),
    toMs: Math.min(toMs(closedAtNs), window.toMs),
  }));
  const states = QUEUE_STATES.map((state) => ({ state, counts: peaks.get(state)?.all() ?? [] }));
  return {
    ...{ window, stops, since: engagements.length > 0 ? 'first stop' : 'first change' },
    states: states.filter(({ counts }) => counts.some((count) => count > 0)),
  };
}

function move(
  held: Map<string, number>,
  peaks: ReadonlyMap<string, Peaks>,
  state: string,
  by: number,
  slot: number,
): void {
  const count = (held.get(state) ?? 0) + by;
  held.set(state, count);
  peaks.get(state)?.note(slot, count);
}

/** The most of each stretch; one without a change keeps what was there before it. */
class Peaks {
  readonly #most: number[] = [];
  #last = 0;

  note(slot: number, count: number): void {
    while (this.#most.length < slot) this.#most.push(this.#last);
    if (this.#most.length === slot) this.#most.push(Math.max(this.#last, count));
    else this.#most[slot] = Math.max(this.#most[slot] ?? 0, count);
    this.#last = count;
  }

  all(): readonly number[] {
    while (this.#most.length < SAMPLES) this.#most.push(this.#last);
    return this.#most;
  }
}
