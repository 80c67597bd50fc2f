import type { AppliedFault } from '../../environment/proxy.ts';
import type { ProxyFault } from '../../environment/proxy-fault.ts';
import type { Plane } from '../../history/event.ts';
import type { Fault } from '../fault.ts';

/** A fault on a worker's connections on one plane. Observed when its proxy has acted on one. */
export function faultOnPlane(worker: string, plane: Plane, what: ProxyFault): Fault {
  let applied: AppliedFault | null = null;
  return {
    endsWhatItHits: false,
    inject({ fleet }, observed) {
      applied = fleet.proxy(worker, plane).apply(what, observed);
      return Promise.resolve();
    },
    recover() {
      applied?.undo();
      return Promise.resolve();
    },
    acted: () => applied?.receipt ?? null,
  };
}
