import type { FaultKind, HistoryEvent, Plane } from '../history/event.ts';
import { thingNamed } from '../scenario/crew.ts';
import type { Thing } from '../scenario/crew.ts';
import type { Span } from './span.ts';

/** A fault with its receipts. Its span begins when the injection began and ends when the recovery was done. */
export interface FaultWindow extends Span {
  readonly fault: number;
  readonly kind: FaultKind;
  readonly target: string;
  readonly plane: Plane | null;
  /** In force from here on, for certain. */
  readonly injectedNs: number;
  /** Still in force until here, for certain: the end of the drill when it was not recovered. */
  readonly recoveryNs: number;
  readonly recovered: boolean;
  /** Which of `selected`, `injected`, `observed` are missing. */
  readonly missing: readonly string[];
}

const RECEIPTS = ['fault.selected', 'fault.injected', 'fault.observed', 'fault.recovered'] as const;
type Receipt = (typeof RECEIPTS)[number];
type FaultEvent = Extract<HistoryEvent, { readonly fault: number }>;

/** Every fault that was at least selected. */
export function faultsOf(events: readonly HistoryEvent[], endNs: number): readonly FaultWindow[] {
  const receipts = new Map<number, Map<Receipt, FaultEvent>>();
  for (const event of events) {
    if (!('fault' in event)) continue;
    const there = receipts.get(event.fault) ?? new Map<Receipt, FaultEvent>();
    if (!there.has(event.type)) there.set(event.type, event);
    receipts.set(event.fault, there);
  }
  return [...receipts.values()].flatMap((of) => windowOf(of, endNs));
}

function windowOf(receipts: ReadonlyMap<Receipt, FaultEvent>, endNs: number): readonly FaultWindow[] {
  const [first] = receipts.values();
  if (first === undefined) return [];
  const injected = receipts.get('fault.injected');
  const recovered = receipts.get('fault.recovered');
  const { fault, kind, target, plane } = first;
  return [
    {
      fault,
      kind,
      target,
      plane,
      fromNs: injected?.t0 ?? first.t0,
      injectedNs: injected?.t1 ?? first.t1,
      recoveryNs: recovered?.t0 ?? endNs,
      toNs: recovered?.t1 ?? endNs,
      recovered: recovered !== undefined,
      missing: RECEIPTS.filter((receipt) => receipt !== 'fault.recovered' && !receipts.has(receipt)),
    },
  ];
}

/** What a fault is done to. */
export function thingOf({ target }: FaultWindow): Thing {
  return thingNamed(target)?.thing ?? 'worker';
}

/** Whether the fault takes the whole store away. */
export function takesStoreAway(fault: FaultWindow): boolean {
  return thingOf(fault) === 'postgres';
}

/** Whether nobody may go on while it lasts: the store is away, or the state file that the fleet watches cannot be trusted. */
export function silencesFleet(fault: FaultWindow): boolean {
  return takesStoreAway(fault) || thingOf(fault) === 'state-file';
}

/** Whether workers may feel it: what is done to executors and to the bus hits no agent, no queue and no store. */
export function mayHitWorkers(fault: FaultWindow): boolean {
  return silencesFleet(fault) || thingOf(fault) === 'worker';
}

const ON_PLANE: Readonly<Record<FaultKind, 'isolates' | 'slows' | null>> = {
  ...{ kill: null, pause: null, restart: null, clock: null, tear: null, remove: null },
  ...{ cut: 'isolates', reset: 'isolates', 'half-open': 'isolates' },
  ...{ latency: 'slows', jitter: 'slows', bandwidth: 'slows' },
};

/** Whether the fault is on a process's connections on one plane. */
export function isOnPlane({ kind }: FaultWindow): boolean {
  return ON_PLANE[kind] !== null;
}

/** Whether nothing is asked and answered on its plane while it lasts; one way that is shut is enough for that. */
export function isolates({ kind }: FaultWindow): boolean {
  return ON_PLANE[kind] === 'isolates';
}

/**
 * Whether the fault keeps flips from this worker, or late: any on its own registry plane (DESIGN §4.2), or the store itself
 * that is away.
 */
export function cutsRegistry(fault: FaultWindow, worker: string): boolean {
  return takesStoreAway(fault) || (isOnPlane(fault) && fault.target === worker && fault.plane === 'registry');
}

export function suspends(fault: FaultWindow, worker: string): boolean {
  return fault.kind === 'pause' && fault.target === worker;
}
