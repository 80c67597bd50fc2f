import type { AppliedFault, Proxy } from '../../environment/proxy.ts';
import type { ProxyFault } from '../../environment/proxy-fault.ts';
import type { ApiPlane, ExecutorPlane, Plane, PlaneFaultKind, WorkerPlane } from '../../history/event.ts';
import type { FaultEntry } from '../../scenario/scenario.ts';
import { API } from '../../scenario/crew.ts';
import type { Fault, FaultGround } from '../fault.ts';
import { apiOf } from './api-of.ts';
import { executorsOf, isExecutor } from './executors-of.ts';

/** A fault on the connections of a worker, an executor or the API on one plane. Observed when its proxy has acted on one. */
export function faultOnPlane(name: string, plane: Plane, what: ProxyFault): Fault {
  let applied: AppliedFault | null = null;
  return {
    endsWhatItHits: false,
    async inject(ground, observed) {
      applied = proxyOf(name, plane, ground).apply(what, observed);
    },
    recover() {
      applied?.undo();
      return Promise.resolve();
    },
    acted: () => applied?.receipt ?? null,
  };
}

/** The scenario's reader has seen to it that each has this plane. */
function proxyOf(name: string, plane: Plane, ground: FaultGround): Proxy {
  if (isExecutor(name)) return executorsOf(name, ground).proxy(name, plane as ExecutorPlane);
  if (name === API) return apiOf(ground).proxy(plane as ApiPlane);
  return ground.fleet.proxy(name, plane as WorkerPlane);
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
