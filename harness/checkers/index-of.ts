import type { DrillRecord } from '../drill/drill.ts';
import type { ChannelId, EventOf, EventType, HistoryEvent, Phase } from '../history/event.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { TraceRun } from '../traffic/trace.ts';
import { alertsOf } from './alerts-of.ts';
import type { AlertAccount } from './alerts-of.ts';
import { effectsOf } from './effects-of.ts';
import { engagementsOf } from './engagements-of.ts';
import type { StoreEngagement } from './engagements-of.ts';
import type { Unattributed, WitnessedEffect } from './effects-of.ts';
import { executorLivesOf, executorWordsOf } from './executors-of.ts';
import type { ExecutorLife, ExecutorWord } from './executors-of.ts';
import { faultsOf } from './faults-of.ts';
import type { FaultWindow } from './faults-of.ts';
import { OPERATOR } from '../history/operator.ts';
import { tasksOf } from './tasks-of.ts';
import type { WitnessedTask } from './tasks-of.ts';
import { flipsOf, stopsOf } from './flips-of.ts';
import type { DrillFlip, Stop } from './flips-of.ts';
import { incarnationsOf } from './workers-of.ts';
import type { Incarnation } from './workers-of.ts';
import { toMs } from './span.ts';

/** A run that became due, with the instant by which it was; of a child, by which it was started. */
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
  /** What workers sent. */
  readonly effects: readonly WitnessedEffect[];
  /** The same by run and step, as `<run>/<step>`. */
  readonly byStep: ReadonlyMap<string, readonly WitnessedEffect[]>;
  /** What the operator sent: compensations. Never counted as a worker's. */
  readonly operatorEffects: readonly WitnessedEffect[];
  readonly unattributed: readonly Unattributed[];
  readonly flips: readonly DrillFlip[];
  readonly stops: readonly Stop[];
  readonly faults: readonly FaultWindow[];
  readonly alerts: AlertAccount;
  readonly executorLives: readonly ExecutorLife[];
  readonly executorWords: readonly ExecutorWord[];
  /** When each life of the control API took requests, nanoseconds, in order. */
  readonly apiReadyNs: readonly number[];
  readonly intents: readonly EventOf<'store.intent'>[];
  /** The same by run and idempotency key, as `<run> <key>`. */
  readonly intentsByKey: ReadonlyMap<string, readonly EventOf<'store.intent'>[]>;
  /** By revision. */
  readonly storeFlips: readonly EventOf<'store.flip'>[];
  /** What the readable ones of them opened, by revision. */
  readonly engagements: readonly StoreEngagement[];
  /** Every task that the store had, by its id. */
  readonly tasks: ReadonlyMap<string, WitnessedTask>;
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
  const effects = attributed.filter(({ worker }) => worker !== OPERATOR);
  const intents = eventsOf(events, 'store.intent');
  const incarnations = incarnationsOf(events);
  const [drill] = eventsOf(events, 'drill');
  const storeFlips = eventsOf(events, 'store.flip').toSorted((one, other) => one.revision - other.revision);
  const flips = flipsOf(events);
  // The text is searched, not parsed: an unreadable one must not take every checker down with it.
  const onRecord = (id: string): boolean => storeFlips.some(({ text }) => text.includes(JSON.stringify(id)));
  const engagements = engagementsOf(storeFlips);
  const drainMs = (id: string): number | null => engagements.find((one) => one.id === id)?.drainMs ?? null;
  return {
    record,
    scenario,
    drill: drill ?? null,
    workers: drill?.workers ?? [],
    incarnations,
    runs,
    due: dueOf(events, runs),
    effects,
    byStep: grouped(effects, ({ run, step }) => `${run.run}/${step}`),
    operatorEffects: attributed.filter(({ worker }) => worker === OPERATOR),
    unattributed,
    flips,
    stops: stopsOf(flips, { onRecord, drainMs }),
    faults: faultsOf(events, endNs),
    alerts: alertsOf(events),
    executorLives: executorLivesOf(events),
    executorWords: executorWordsOf(events),
    apiReadyNs: eventsOf(events, 'api.ready').map(({ t1 }) => t1),
    intents,
    intentsByKey: grouped(intents, ({ run, key }) => `${run} ${key}`),
    storeFlips,
    engagements,
    tasks: tasksOf(events, runs, scenario.fleet.critical),
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

/** A run is due by the trace, and a child when its parent has asked the world for it first. */
function dueOf(events: readonly HistoryEvent[], runs: ReadonlyMap<string, TraceRun>): DueRun[] {
  const spawned = new Set<string>();
  return events.flatMap((event) => {
    if (event.type !== 'run.due' && event.type !== 'run.spawned') return [];
    const run = runs.get(event.run);
    const isChild = run?.parent !== undefined;
    if (run === undefined || isChild !== (event.type === 'run.spawned') || spawned.has(run.run)) return [];
    if (isChild) spawned.add(run.run);
    return [{ run, atNs: event.t1 }];
  });
}

function grouped<T>(all: readonly T[], groupOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const there = groups.get(groupOf(one));
    if (there === undefined) groups.set(groupOf(one), [one]);
    else there.push(one);
  }
  return groups;
}
