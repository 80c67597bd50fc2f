import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KilldrillError } from '../../src/errors.ts';
import { DRILL_FOLDER_VARIABLE } from '../environment/drill-folder.ts';
import { startProxy } from '../environment/proxy.ts';
import { Fleet } from '../fleet/fleet.ts';
import type { WorldChannel } from '../fleet/fleet.ts';
import type { HistorySink } from '../history/write.ts';
import { workerNames } from '../scenario/crew.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { ownVariables } from './own-variables.ts';

interface OwnFleetParts {
  readonly scenario: Scenario;
  /** The fleet's command; that of the scenario when null. */
  readonly command: readonly string[] | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly tracePath: string;
  readonly history: HistorySink;
  readonly openChannel: (worker: string) => Promise<WorldChannel>;
  readonly onSpawned: (pid: number) => void;
}

/** A fleet with a switch of its own, not started yet: it is told of nothing that it has no use for (DESIGN §7). */
export function makeOwnFleet(parts: OwnFleetParts): Fleet {
  const { scenario, environment, tracePath, history, openChannel, onSpawned } = parts;
  const command = parts.command ?? scenario.fleet.command;
  if (command === null)
    throw new KilldrillError('FLEET_COMMAND', `${scenario.name} has levers and no fleet.command; add the command`);
  return new Fleet({
    command,
    workers: workerNames(scenario.fleet),
    environment: {
      ...environment,
      KILLDRILL_TRACE: tracePath,
      KILLDRILL_SEED: String(scenario.seed),
      KILLDRILL_AGENTS: String(scenario.fleet.agentsPerWorker),
    },
    cwd: process.cwd(),
    history,
    postgres: null,
    storeUrl: () => '',
    openChannel,
    onSpawned,
    detecting: null,
    clockFile: null,
    startProxy,
  });
}

/** What the workers and the levers of one drill are told alike: also the folder that they share, which goes with the drill's. */
export function ownFleetEnvironment(folder: string, namespace: string): Readonly<Record<string, string>> {
  const shared = join(folder, `fleet-${namespace}`);
  mkdirSync(shared, { recursive: true, mode: 0o700 });
  return {
    ...ownVariables(),
    [DRILL_FOLDER_VARIABLE]: folder,
    KILLDRILL_NAMESPACE: namespace,
    KILLDRILL_FLEET_FOLDER: shared,
  };
}
