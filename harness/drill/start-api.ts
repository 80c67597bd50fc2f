import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyEntry } from '../../src/control/api/api-keys.ts';
import type { ApiAddress } from '../conductor/api-hand.ts';
import { DRILL_FOLDER_VARIABLE } from '../environment/drill-folder.ts';
import type { DrillDatabase } from '../environment/environment.ts';
import { startProxy } from '../environment/proxy.ts';
import type { ConnectTarget } from '../environment/proxy.ts';
import { DrilledApi } from '../fleet/drilled-api.ts';
import { builtCommand } from '../fleet/fleet-command.ts';
import type { HistorySink } from '../history/write.ts';
import { hasApi } from '../scenario/crew.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { ownVariables } from './own-variables.ts';

export interface ApiParts {
  readonly scenario: Pick<Scenario, 'timeline'>;
  readonly database: DrillDatabase;
  readonly postgres: ConnectTarget;
  /** The drill's temporary folder, watched by the guardian: the spool and the keys' hashes go with it. */
  readonly folder: string;
  readonly history: HistorySink;
  readonly onSpawned: (pid: number) => void;
  /** Makes the proxies of the planes; the real one by default. */
  readonly startProxy?: typeof startProxy | undefined;
}

/** A drill's control API, and the keys that its operator shows there. */
export interface OperatedApi {
  readonly drilled: DrilledApi;
  readonly keys: ApiAddress['keys'];
}

const KEY_BYTES = 32;

/** The control API of a drill, not started yet, with keys of the drill's own; null for a scenario without one. */
export function makeApi(parts: ApiParts): OperatedApi | null {
  const { scenario, database, postgres, folder, history, onSpawned } = parts;
  if (!hasApi(scenario)) return null;
  const { user, password } = database.flipper;
  const keys = { stop: newKey(), release: newKey() };
  const own = join(folder, `api-${database.name}`);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const [keysFile, spool] = [join(own, 'keys.json'), join(own, 'spool')];
  const entries = [keyEntry('drill', 'stop', keys.stop), keyEntry('drill', 'release', keys.release)];
  writeFileSync(keysFile, JSON.stringify(entries), { mode: 0o600 });
  const drilled = new DrilledApi({
    command: builtCommand(['serve', '--json', '--keys', keysFile, '--spool', spool]),
    environment: { ...ownVariables(), [DRILL_FOLDER_VARIABLE]: folder, KILLDRILL_NAMESPACE: database.name },
    cwd: process.cwd(),
    history,
    postgres,
    storeUrl: (port) => `postgres://${user}:${password}@127.0.0.1:${port}/${database.name}`,
    onSpawned,
    startProxy: parts.startProxy ?? startProxy,
  });
  return { drilled, keys };
}

function newKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url');
}
