import { randomUUID } from 'node:crypto';
import type { WorkerReports } from '../effectiveness-port.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/**
 * A worker's reports on a connection of their own, on the registry plane: who is cut off from flips cannot confirm them.
 * What this process registers it alone may report on: a secret of its own goes with each report.
 */
export function openWorkerReports(options: StoreOptions, newSecret: () => string = randomUUID): Opened<WorkerReports> {
  const resolved = resolveStoreOptions(options);
  const { namespace } = resolved;
  const session = new Session('reports', resolved);
  const secret = newSecret();
  return {
    register: ({ incarnation, worker, pool, version, leaseMs, longestDeadlineMs }) =>
      session.call('register_worker', [
        ...[namespace, incarnation, secret, worker, pool],
        ...[version, leaseMs, longestDeadlineMs],
      ]),
    report: (incarnation, number, { head, busy, inFlight, canary }) =>
      session.call('report_worker', [
        ...[namespace, incarnation, secret, number, head.epoch, head.revision, head.hash],
        ...[busy, inFlight, canary],
      ]),
    deregister: (incarnation) => session.call('deregister_worker', [namespace, incarnation, secret]),
    close: () => session.close(),
  };
}
