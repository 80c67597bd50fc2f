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
import type { DrillFlipKeys } from './flip-keys.ts';
import type { Brackets } from './brackets.ts';
import { DRILL_TIMES } from './drill.ts';
import { ownVariables } from './own-variables.ts';

interface ApiParts {
  readonly scenario: Pick<Scenario, 'timeline'>;
  readonly database: DrillDatabase;
  readonly postgres: ConnectTarget;
  /** The drill's temporary folder, watched by the guardian: the spool and the keys' hashes go with it. */
  readonly folder: string;
  readonly flipKeys: Pick<DrillFlipKeys, 'apiFile' | 'publicKey'>;
  readonly history: HistorySink;
  readonly onSpawned: (pid: number) => void;
  /** Makes the proxies of the planes; the real one by default. */
  readonly startProxy?: typeof startProxy | undefined;
}

interface StartedApiParts extends ApiParts {
  /** What it gets to end by itself when the drill is interrupted. */
  readonly hurriedByeMs: number;
  readonly signal: AbortSignal;
}

/** A drill's control API, and the keys that its operator shows there. */
export interface OperatedApi {
  readonly drilled: DrilledApi;
  readonly keys: ApiAddress['keys'];
}

const KEY_BYTES = 32;

/** The control API of a drill, not started yet, with keys of the drill's own; null for a scenario without one. */
function makeApi(parts: ApiParts): OperatedApi | null {
  const { scenario, database, postgres, folder, flipKeys, history, onSpawned } = parts;
  if (!hasApi(scenario)) return null;
  const { user, password } = database.flipper;
  const keys = { stop: newKey(), release: newKey() };
  const own = join(folder, `api-${database.name}`);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const [keysFile, spool] = [join(own, 'keys.json'), join(own, 'spool')];
  const entries = [keyEntry('drill', 'stop', keys.stop), keyEntry('drill', 'release', keys.release)];
  writeFileSync(keysFile, JSON.stringify(entries), { mode: 0o600 });
  const drilled = new DrilledApi({
    command: builtCommand(['serve', '--json', '--keys', keysFile, '--spool', spool, '--key', flipKeys.apiFile]),
    environment: {
      ...ownVariables(),
      [DRILL_FOLDER_VARIABLE]: folder,
      KILLDRILL_NAMESPACE: database.name,
      KILLDRILL_PUBLIC_KEY: flipKeys.publicKey,
    },
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

/**
 * Starts a drill's control API, and ends it with what else the drill has started; null for a scenario without one.
 *
 * @throws KilldrillError `FLEET_NOT_READY`
 */
export async function startApi(parts: StartedApiParts, brackets: Brackets): Promise<OperatedApi | null> {
  const { signal, hurriedByeMs } = parts;
  const api = makeApi(parts);
  if (api === null) return null;
  brackets.add(() => api.drilled.close());
  brackets.add(() => api.drilled.stop(signal.aborted ? hurriedByeMs : DRILL_TIMES.byeMs));
  await api.drilled.start(signal);
  return api;
}
