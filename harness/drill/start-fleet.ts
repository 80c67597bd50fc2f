import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DRILL_FOLDER_VARIABLE } from '../environment/drill-folder.ts';
import type { DrillDatabase } from '../environment/environment.ts';
import { startProxy } from '../environment/proxy.ts';
import type { ConnectTarget } from '../environment/proxy.ts';
import { simulatedFleet } from '../fleet/fleet-command.ts';
import { Fleet } from '../fleet/fleet.ts';
import type { WorldChannel } from '../fleet/fleet.ts';
import type { DetectingFleet } from '../fleet/worker-planes.ts';
import type { HistorySink } from '../history/write.ts';
import { workerNames } from '../scenario/crew.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { ownVariables } from './own-variables.ts';
import type { DrillStateFile } from './state-file.ts';

/** As `fleet-sim/main.ts` reads it: a seam of the simulated fleet, no part of the contract. */
const DEAF_VARIABLE = 'KILLDRILL_SIM_DEAF';

export interface FleetParts {
  readonly scenario: Scenario;
  /** The fleet's command; that of the scenario, or the simulated fleet, when null. */
  readonly command: readonly string[] | null;
  readonly database: DrillDatabase;
  readonly postgres: ConnectTarget;
  /** The drill's temporary folder, watched by the guardian. */
  readonly folder: string;
  readonly tracePath: string;
  /** As workers are told them. */
  readonly publicKey: string;
  /** What it is to watch beside the store; null for nothing. */
  readonly stateFile: DrillStateFile | null;
  readonly history: HistorySink;
  readonly openChannel: (worker: string) => Promise<WorldChannel>;
  readonly onSpawned: (pid: number) => void;
  /** Null for a fleet without detectors. */
  readonly detecting: DetectingFleet | null;
  /** Makes the proxies of the planes; the real one by default. */
  readonly startProxy?: typeof startProxy | undefined;
}

/** A fleet that is told of everything that the contract has (DESIGN §7), not started yet. */
export function makeFleet(parts: FleetParts): Fleet {
  const { scenario, command, database, postgres, folder, tracePath, history, openChannel, onSpawned } = parts;
  const { user, password } = database.worker;
  return new Fleet({
    command: command ?? scenario.fleet.command ?? simulatedFleet(),
    workers: workerNames(scenario.fleet),
    environment: {
      ...ownVariables(),
      [DRILL_FOLDER_VARIABLE]: folder,
      KILLDRILL_NAMESPACE: database.name,
      KILLDRILL_TRACE: tracePath,
      KILLDRILL_SEED: String(scenario.seed),
      KILLDRILL_LEASE_MS: String(scenario.fleet.leaseMs),
      KILLDRILL_AGENTS: String(scenario.fleet.agentsPerWorker),
      KILLDRILL_PUBLIC_KEY: parts.publicKey,
      ...(scenario.fleet.deafTools.length === 0 ? {} : { [DEAF_VARIABLE]: scenario.fleet.deafTools.join(' ') }),
      KILLDRILL_SNAPSHOT_FOLDER: makeSnapshotFolder(folder, database.name),
      ...stateVariables(parts.stateFile),
    },
    cwd: process.cwd(),
    history,
    postgres,
    storeUrl: (port) => `postgres://${user}:${password}@127.0.0.1:${port}/${database.name}`,
    openChannel,
    onSpawned,
    detecting: parts.detecting,
    clockFile: hasClockFault(scenario) ? (worker) => join(folder, `clock-${database.name}-${worker}`) : null,
    startProxy: parts.startProxy ?? startProxy,
  });
}

function stateVariables(file: DrillStateFile | null): Readonly<Record<string, string>> {
  return file === null ? {} : { KILLDRILL_STATE_FILE: file.path, KILLDRILL_STATE_KEY: file.publicKey };
}

/** Whether a worker's clock is to be set off; a fleet of one's own has no seam for it, and its scenario no such fault. */
function hasClockFault({ fleet, timeline }: Scenario): boolean {
  return fleet.command === null && timeline.some((entry) => entry.kind === 'fault' && entry.fault === 'clock');
}

/** One a drill: snapshots of the drill before are none of this one's. It goes with the drill's folder. */
function makeSnapshotFolder(folder: string, database: string): string {
  const path = join(folder, `snapshots-${database}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
