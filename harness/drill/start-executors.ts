import type { AlertPolicy } from '../../src/alerts/judge-alert.ts';
import type { DrillKeys } from '../conductor/drill-keys.ts';
import { DRILL_FOLDER_VARIABLE } from '../environment/drill-folder.ts';
import type { Credentials, DrillDatabase } from '../environment/environment.ts';
import { startProxy } from '../environment/proxy.ts';
import type { ConnectTarget } from '../environment/proxy.ts';
import { Executors } from '../fleet/executors.ts';
import type { ExecutorsKafka } from '../fleet/executors.ts';
import { simulatedExecutor } from '../fleet/fleet-command.ts';
import type { HistorySink } from '../history/write.ts';
import { isByAlert } from '../scenario/by-alert.ts';
import { executorNames } from '../scenario/crew.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { DrillFlipKeys } from './flip-keys.ts';
import { ownVariables } from './own-variables.ts';

export interface ExecutorsParts {
  readonly scenario: Pick<Scenario, 'fleet' | 'timeline'>;
  /** The executors' command; the simulated fleet's when null. */
  readonly command: readonly string[] | null;
  readonly database: DrillDatabase;
  readonly postgres: ConnectTarget;
  /** The broker and the drill's topics there; null where PostgreSQL is the alert bus. */
  readonly kafka: ExecutorsKafka | null;
  readonly detectorKeys: DrillKeys['list'];
  readonly flipKeys: Pick<DrillFlipKeys, 'publicKey' | 'stopperFile'>;
  /** The drill's temporary folder, watched by the guardian. */
  readonly folder: string;
  readonly history: HistorySink;
  readonly onSpawned: (pid: number) => void;
  /** Makes the proxies of the planes; the real one by default. */
  readonly startProxy?: typeof startProxy | undefined;
}

/** The executors of a drill, not started yet; null for a scenario without any. */
export function makeExecutors(parts: ExecutorsParts): Executors | null {
  const { scenario, command, database, postgres, kafka, detectorKeys, folder, history, onSpawned } = parts;
  if (scenario.fleet.executors === 0) return null;
  const as = ({ user, password }: Credentials) => {
    return (port: number) => `postgres://${user}:${password}@127.0.0.1:${port}/${database.name}`;
  };
  return new Executors({
    command: command ?? simulatedExecutor(),
    executors: executorNames(scenario.fleet),
    environment: {
      ...ownVariables(),
      [DRILL_FOLDER_VARIABLE]: folder,
      KILLDRILL_NAMESPACE: database.name,
      KILLDRILL_DETECTOR_KEYS: JSON.stringify(detectorKeys),
      KILLDRILL_ALERT_QUEUE: alertQueueOf(scenario),
      KILLDRILL_PUBLIC_KEY: parts.flipKeys.publicKey,
      KILLDRILL_SIGNING_KEY_FILE: parts.flipKeys.stopperFile,
    },
    cwd: process.cwd(),
    history,
    postgres,
    registryUrl: as(database.worker),
    stopsUrl: as(database.flipper),
    kafka,
    onSpawned,
    startProxy: parts.startProxy ?? startProxy,
  });
}

/** What becomes of queued work that an alert stops: executors are told one policy for all, which the scenario's alerts share. */
export function alertQueueOf({ timeline }: Pick<Scenario, 'timeline'>): AlertPolicy['queue'] {
  const stops = timeline.flatMap((entry) => (entry.kind === 'flip' && isByAlert(entry.via) ? [entry.queue] : []));
  return stops[0] === 'park' ? 'park' : 'discard';
}
