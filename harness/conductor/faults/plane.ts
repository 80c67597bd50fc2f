import type { AppliedFault } from '../../environment/proxy.ts';
import type { ProxyFault } from '../../environment/proxy-fault.ts';
import type { Plane, PlaneFaultKind, WorkerPlane } from '../../history/event.ts';
import type { FaultEntry } from '../../scenario/scenario.ts';
import type { Fault } from '../fault.ts';

/** A fault on a worker's connections on one plane. Observed when its proxy has acted on one. */
export function faultOnPlane(worker: string, plane: Plane, what: ProxyFault): Fault {
  let applied: AppliedFault | null = null;
  return {
    endsWhatItHits: false,
    inject({ fleet }, observed) {
      applied = fleet.proxy(worker, plane as WorkerPlane).apply(what, observed);
      return Promise.resolve();
    },
    recover() {
      applied?.undo();
      return Promise.resolve();
    },
    acted: () => applied?.receipt ?? null,
  };
}

/** What a proxy is told. The scenario's reader has seen to it that each kind has what it needs; a proxy refuses a size of nothing. */
export function proxyFaultOf(kind: PlaneFaultKind, entry: FaultEntry, seed: string): ProxyFault {
  const direction = entry.direction ?? 'both';
  switch (kind) {
    case 'cut':
      return { kind };
    case 'reset':
    case 'half-open':
      return { kind, direction };
    case 'latency':
      return { kind, direction, delayMs: entry.delayMs ?? 0 };
    case 'jitter':
      return { kind, direction, upToMs: entry.delayMs ?? 0, seed };
    case 'bandwidth':
      return { kind, direction, bytesPerSecond: entry.bytesPerSecond ?? 0 };
    default:
      throw new TypeError(`unknown fault on a plane ${String(kind satisfies never)}`);
  }
}
