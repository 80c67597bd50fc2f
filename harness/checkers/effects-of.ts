import type { HistoryEvent } from '../history/event.ts';
import type { ChannelId } from '../history/event.ts';
import type { TraceRun } from '../traffic/trace.ts';
import { toMs } from './span.ts';

export interface EffectEnd {
  /** `replayed`: its key had landed before, so it was answered at once and landed nothing. */
  readonly kind: 'landed' | 'failed' | 'closed_by_worker' | 'closed_by_harness' | 'replayed';
  readonly t0: number;
  readonly t1: number;
}

/** One effect as the world saw it, with its run's facts from the trace. */
export interface WitnessedEffect {
  readonly effect: number;
  readonly channel: ChannelId;
  readonly worker: string;
  readonly run: TraceRun;
  readonly capability: string;
  readonly key: string;
  readonly step: number | null;
  readonly repeat: boolean;
  /** Bounds of its arrival, nanoseconds. */
  readonly t0: number;
  readonly t1: number;
  /** Its arrival for a reader: milliseconds since T0, by the lower bound. */
  readonly arrivedAtMs: number;
  /** Everything that ended it, in order: a call that its worker closed may still land. Empty: still open. */
  readonly ends: readonly EffectEnd[];
}

/** An effect that nobody can be held to account for. */
export interface Unattributed {
  readonly what: string;
  readonly t0: number;
}

export interface Effects {
  /** In order of arrival. */
  readonly attributed: readonly WitnessedEffect[];
  readonly unattributed: readonly Unattributed[];
}

/** Puts each effect's arrival and ends together. An effect of a run that the trace does not know is unattributed. */
export function effectsOf(
  events: readonly HistoryEvent[],
  runs: ReadonlyMap<string, TraceRun>,
  trafficNs: number,
): Effects {
  const ends = endsOf(events);
  /** When each key landed first. */
  const landings = new Map<string, number>();
  const attributed: WitnessedEffect[] = [];
  const unattributed: Unattributed[] = [];
  for (const event of events) {
    if (event.type === 'effect.unattributed') {
      unattributed.push({ what: `${event.path} on port ${event.port}: ${event.why}`, t0: event.t0 });
    }
    if (event.type !== 'effect.arrived') continue;
    const { effect, channel, worker, capability, key, step, repeat, t0, t1 } = event;
    const run = runs.get(event.run);
    if (run === undefined)
      unattributed.push({ what: `effect ${effect} of run '${event.run}', which the trace does not know`, t0 });
    else {
      const own = ends.get(effect) ?? [];
      const call = callName({ run: run.run, capability, key });
      const replayed = repeat && (landings.get(call) ?? Number.POSITIVE_INFINITY) <= t1 && own.length === 0;
      const landed = own.find(({ kind }) => kind === 'landed');
      if (landed !== undefined && !landings.has(call)) landings.set(call, landed.t0);
      const seen: readonly EffectEnd[] = replayed ? [{ kind: 'replayed', t0, t1 }] : own;
      const arrivedAtMs = toMs(t0 - trafficNs);
      attributed.push({ effect, channel, worker, run, capability, key, step, repeat, t0, t1, arrivedAtMs, ends: seen });
    }
  }
  return { attributed, unattributed };
}

function endsOf(events: readonly HistoryEvent[]): Map<number, EffectEnd[]> {
  const ends = new Map<number, EffectEnd[]>();
  for (const event of events) {
    const kind = endKind(event);
    if (kind === null || !('effect' in event)) continue;
    const there = ends.get(event.effect);
    const end: EffectEnd = { kind, t0: event.t0, t1: event.t1 };
    if (there === undefined) ends.set(event.effect, [end]);
    else there.push(end);
  }
  for (const list of ends.values()) list.sort((one, other) => one.t0 - other.t0);
  return ends;
}

function endKind(event: HistoryEvent): EffectEnd['kind'] | null {
  if (event.type === 'effect.landed') return 'landed';
  if (event.type === 'effect.failed') return 'failed';
  if (event.type === 'effect.closed') return event.by === 'worker' ? 'closed_by_worker' : 'closed_by_harness';
  return null;
}

/** A call is known by its run, its capability and its idempotency key: an equal key elsewhere is another call. */
export function callName({
  run,
  capability,
  key,
}: {
  readonly run: string;
  readonly capability: string;
  readonly key: string;
}): string {
  return `${run} ${capability} ${key}`;
}

/**
 * Whether the call was open at an instant: arrived for certain, and the witness had not seen its end. A stop closes calls within
 * one turn of the witness's loop, so that the lower bound of such an end may lie before the request that caused it.
 */
export function openAt(effect: WitnessedEffect, atNs: number): boolean {
  const end = effect.ends[0];
  return effect.t1 <= atNs && (end === undefined || end.t1 > atNs);
}

/** Whether the effect needed an intent. One that the plan does not have is held to the same. */
export function isJournaled(effect: WitnessedEffect): boolean {
  return effect.step === null || (effect.run.plan[effect.step]?.journal ?? true);
}

export function hasEnd(effect: WitnessedEffect, kind: EffectEnd['kind']): boolean {
  return effect.ends.some((end) => end.kind === kind);
}
