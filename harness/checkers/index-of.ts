import type { DrillRecord } from '../drill/drill.ts';
import type { ChannelId, EventOf, EventType, HistoryEvent, Phase } from '../history/event.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { TraceRun } from '../traffic/trace.ts';
import { effectsOf } from './effects-of.ts';
import type { Unattributed, WitnessedEffect } from './effects-of.ts';
import { faultsOf } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import { flipsOf, stopsOf } from './flips-of.ts';
import type { DrillFlip, Stop } from './flips-of.ts';
import { incarnationsOf } from './workers-of.ts';
import type { Incarnation } from './workers-of.ts';
import { toMs } from './span.ts';

/** A run that became due, with the instant by which it was. */
export interface DueRun {
  readonly run: TraceRun;
  readonly atNs: number;
}

/** A drill's record, looked up instead of searched. Everything in it is taken from the record and nothing is judged. */
export interface DrillIndex {
  readonly record: DrillRecord;
  readonly scenario: Scenario;
  readonly drill: EventOf<'drill'> | null;
  readonly workers: readonly string[];
  readonly incarnations: ReadonlyMap<ChannelId, Incarnation>;
  readonly runs: ReadonlyMap<string, TraceRun>;
  readonly due: readonly DueRun[];
  readonly effects: readonly WitnessedEffect[];
  readonly unattributed: readonly Unattributed[];
  readonly flips: readonly DrillFlip[];
  readonly stops: readonly Stop[];
  readonly faults: readonly FaultWindow[];
  readonly intents: readonly EventOf<'store.intent'>[];
  /** By revision. */
  readonly storeFlips: readonly EventOf<'store.flip'>[];
  readonly head: EventOf<'store.head'> | null;
  readonly phases: ReadonlyMap<Phase, number>;
  /** T0: when traffic began. */
  readonly trafficNs: number;
  /** When arrivals ended; nothing is expected to begin after it. */
  readonly arrivalsEndNs: number;
  /** The last thing that anybody saw. */
  readonly endNs: number;
}

/** An instant for a reader: milliseconds since T0. */
export function sinceT0(index: DrillIndex, ns: number): number {
  return toMs(ns - index.trafficNs);
}

const known = new WeakMap<DrillRecord, DrillIndex>();

/** The index of a record, made once. */
export function indexOf(record: DrillRecord): DrillIndex {
  const there = known.get(record);
  if (there !== undefined) return there;
  const index = makeIndex(record);
  known.set(record, index);
  return index;
}

function makeIndex(record: DrillRecord): DrillIndex {
  const { events, scenario, trace } = record;
  const runs = new Map(trace.runs.map((run) => [run.run, run]));
  const phases = phasesOf(events);
  const trafficNs = phases.get('traffic') ?? 0;
  const endNs = events.reduce((last, event) => (event.clock === 'mono' ? Math.max(last, event.t1) : last), 0);
  const { attributed, unattributed } = effectsOf(events, runs, trafficNs);
  const incarnations = incarnationsOf(events);
  const [drill] = eventsOf(events, 'drill');
  const storeFlips = eventsOf(events, 'store.flip').toSorted((one, other) => one.revision - other.revision);
  const flips = flipsOf(events);
  // The text is searched, not parsed: an unreadable one must not take every checker down with it.
  const onRecord = (id: string): boolean => storeFlips.some(({ text }) => text.includes(JSON.stringify(id)));
  return {
    record,
    scenario,
    drill: drill ?? null,
    workers: drill?.workers ?? [],
    incarnations,
    runs,
    due: dueOf(events, runs),
    effects: attributed,
    unattributed,
    flips,
    stops: stopsOf(flips, onRecord),
    faults: faultsOf(events, endNs),
    intents: eventsOf(events, 'store.intent'),
    storeFlips,
    head: eventsOf(events, 'store.head')[0] ?? null,
    phases,
    trafficNs,
    arrivalsEndNs: phases.get('drain') ?? phases.get('stopping') ?? endNs,
    endNs,
  };
}

function eventsOf<T extends EventType>(events: readonly HistoryEvent[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

function phasesOf(events: readonly HistoryEvent[]): Map<Phase, number> {
  return new Map(eventsOf(events, 'phase').map((event) => [event.phase, event.t0]));
}

function dueOf(events: readonly HistoryEvent[], runs: ReadonlyMap<string, TraceRun>): DueRun[] {
  return eventsOf(events, 'run.due').flatMap((event) => {
    const run = runs.get(event.run);
    return run === undefined ? [] : [{ run, atNs: event.t1 }];
  });
}
