import type { Plane } from '../../history/event.ts';
import type { Fault } from '../fault.ts';

/** Resets a worker's connections on one plane and refuses new ones. Observed when a connection was hit. */
export function cutPlane(worker: string, plane: Plane): Fault {
  return {
    endsWhatItHits: false,
    inject({ fleet }, observed) {
      fleet.proxy(worker, plane).cut(observed);
      return Promise.resolve();
    },
    recover({ fleet }) {
      fleet.proxy(worker, plane).heal();
      return Promise.resolve();
    },
  };
}
