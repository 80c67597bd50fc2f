import type { ChannelId, HistoryEvent } from '../history/event.ts';

export interface WorkerExit {
  readonly t0: number;
  readonly t1: number;
  readonly code: number | null;
  readonly signal: string | null;
  /** The harness had asked for it, or ended it. */
  readonly expected: boolean;
}

/** One life of a worker process, known by its channel to the world. */
export interface Incarnation {
  readonly worker: string;
  readonly channel: ChannelId;
  readonly spawnedNs: number;
  readonly readyNs: number | null;
  /** Its name in the journal; null when the fleet did not say. */
  readonly incarnation: string | null;
  readonly exit: WorkerExit | null;
  /** What it claimed of itself when it ended; null when it said nothing. */
  readonly bye: { readonly effects: number; readonly intents: number } | null;
}

type Draft = { -readonly [K in keyof Incarnation]: Incarnation[K] };

/** Every incarnation of the drill by its channel, in order of spawning. */
export function incarnationsOf(events: readonly HistoryEvent[]): ReadonlyMap<ChannelId, Incarnation> {
  const byChannel = new Map<ChannelId, Draft>();
  for (const event of events) {
    if (event.type === 'worker.spawned') {
      const { worker, channel, t0: spawnedNs } = event;
      byChannel.set(channel, { worker, channel, spawnedNs, readyNs: null, incarnation: null, exit: null, bye: null });
    } else if (event.type === 'worker.ready' || event.type === 'worker.exited' || event.type === 'worker.said') {
      const draft = byChannel.get(event.channel);
      if (draft !== undefined) note(draft, event);
    }
  }
  return byChannel;
}

function note(draft: Draft, event: HistoryEvent): void {
  if (event.type === 'worker.ready') {
    draft.readyNs = event.t1;
    draft.incarnation = event.incarnation;
  } else if (event.type === 'worker.exited') {
    draft.exit = { t0: event.t0, t1: event.t1, code: event.code, signal: event.signal, expected: event.expected };
  } else if (event.type === 'worker.said' && event.said['event'] === 'bye') {
    const { effects, intents } = event.said;
    if (typeof effects === 'number' && typeof intents === 'number') draft.bye = { effects, intents };
  }
}

/** Whether it ended other than by its own orderly exit. */
export function died(life: Incarnation): boolean {
  return life.exit !== null && life.exit.code !== 0;
}

/** Whether it was ready and had not exited, all through the stretch. */
export function livedThrough(life: Incarnation, fromNs: number, toNs: number): boolean {
  return life.readyNs !== null && life.readyNs <= fromNs && (life.exit === null || life.exit.t0 >= toNs);
}
