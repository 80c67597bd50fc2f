import type { DrillRecord } from '../../../harness/drill/drill.ts';
import { HISTORY_VERSION } from '../../../harness/history/event.ts';
import type { EventBody, FaultFacts, HistoryEvent } from '../../../harness/history/event.ts';
import type { Scenario } from '../../../harness/scenario/scenario.ts';
import { TRACE_VERSION } from '../../../harness/traffic/trace.ts';
import type { TraceRun } from '../../../harness/traffic/trace.ts';
import { STORE_AHEAD_MS } from './clean-times.ts';

/** One event at an instant of the drill; `t1Ms` only where its interval is wider than a hair. */
export interface Timed {
  readonly atMs: number;
  readonly t1Ms?: number;
  readonly body: EventBody;
}

/** A drill as a list that a test may add to, take from, and change before it becomes a record. */
export interface DraftDrill {
  readonly scenario: Scenario;
  readonly runs: readonly TraceRun[];
  readonly timed: readonly Timed[];
  readonly complete: boolean;
}

const HAIR_NS = 1000;

/** Puts events in order, the store's last, and numbers them as a history does. */
export function recordOf(draft: DraftDrill): DrillRecord {
  const rank = ({ body }: Timed): number => (body.type === 'drill' ? 0 : body.type.startsWith('store.') ? 2 : 1);
  const inOrder = draft.timed.toSorted((one, other) => rank(one) - rank(other) || one.atMs - other.atMs);
  const events = inOrder.map(({ atMs, t1Ms, body }, nth): HistoryEvent => {
    const clock = body.type.startsWith('store.') ? 'store' : 'mono';
    const aheadMs = clock === 'store' ? STORE_AHEAD_MS : 0;
    const t0 = Math.round((atMs + aheadMs) * 1e6);
    const t1 = t1Ms === undefined ? t0 + HAIR_NS : Math.round((t1Ms + aheadMs) * 1e6);
    return { v: HISTORY_VERSION, seq: nth + 1, clock, t0, t1, ...body };
  });
  const header = { version: TRACE_VERSION, seed: draft.scenario.seed, generator: {} } as const;
  return { scenario: draft.scenario, trace: { header, runs: draft.runs }, events, complete: draft.complete };
}

export function plus(draft: DraftDrill, ...timed: readonly Timed[]): DraftDrill {
  return { ...draft, timed: [...draft.timed, ...timed] };
}

export function without(draft: DraftDrill, unwanted: (timed: Timed) => boolean): DraftDrill {
  return { ...draft, timed: draft.timed.filter((timed) => !unwanted(timed)) };
}

export function changed(draft: DraftDrill, change: (timed: Timed) => Timed): DraftDrill {
  return { ...draft, timed: draft.timed.map(change) };
}

export function withScenario(draft: DraftDrill, change: (scenario: Scenario) => Scenario): DraftDrill {
  return { ...draft, scenario: change(draft.scenario) };
}

/** The drill in which nobody asked for a stop; the store's rows stay as they are. */
export function withoutStops(draft: DraftDrill): DraftDrill {
  const calm = withScenario(draft, (scenario) => ({ ...scenario, timeline: [] }));
  return without(calm, ({ body }) => 'flip' in body);
}

/** The first event of a type that satisfies a condition. */
export function find<T extends EventBody['type']>(
  draft: DraftDrill,
  type: T,
  also: (body: Extract<EventBody, { readonly type: T }>, atMs: number) => boolean = () => true,
): Timed & { readonly body: Extract<EventBody, { readonly type: T }> } {
  for (const timed of draft.timed) {
    if (isOf(timed, type) && also(timed.body, timed.atMs)) return timed;
  }
  throw new Error(`the draft has no ${type} like that`);
}

function isOf<T extends EventBody['type']>(
  timed: Timed,
  type: T,
): timed is Timed & { readonly body: Extract<EventBody, { readonly type: T }> } {
  return timed.body.type === type;
}

let effects = 1_000_000;

/** An effect that a test adds: its arrival, and its landing unless `landsAfterMs` is null. */
export function effect(what: {
  readonly atMs: number;
  readonly t1Ms?: number;
  readonly worker: number;
  readonly run: string;
  readonly capability: string;
  readonly key: string;
  readonly step?: number | null;
  readonly landsAfterMs?: number | null;
}): readonly Timed[] {
  effects += 1;
  const { atMs, t1Ms, worker, run, capability, key, step = 0, landsAfterMs = 10 } = what;
  const arrived: EventBody = {
    type: 'effect.arrived',
    effect: effects,
    channel: worker,
    worker: `worker-${worker}`,
    run,
    capability,
    key,
    step,
    repeat: false,
  };
  const arrival: Timed = t1Ms === undefined ? { atMs, body: arrived } : { atMs, t1Ms, body: arrived };
  if (landsAfterMs === null) return [arrival];
  return [arrival, { atMs: (t1Ms ?? atMs) + landsAfterMs, body: { type: 'effect.landed', effect: effects } }];
}

/** A fault with all its receipts; without an end it has no recovery. */
export function fault(facts: FaultFacts, fromMs: number, toMs: number | null): readonly Timed[] {
  const receipts: Timed[] = [
    { atMs: fromMs - 1, body: { type: 'fault.selected', ...facts } },
    { atMs: fromMs, body: { type: 'fault.injected', ...facts } },
    { atMs: fromMs + 1, body: { type: 'fault.observed', ...facts } },
  ];
  return toMs === null ? receipts : [...receipts, { atMs: toMs, body: { type: 'fault.recovered', ...facts } }];
}
