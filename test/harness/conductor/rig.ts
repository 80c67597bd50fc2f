import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { ApiAddress } from '../../../harness/conductor/api-hand.ts';
import { Conductor } from '../../../harness/conductor/conductor.ts';
import type { Detectors } from '../../../harness/conductor/detectors.ts';
import type { Faults } from '../../../harness/conductor/faults.ts';
import type { FleetAlerts } from '../../../harness/conductor/fleet-alerts.ts';
import type { DrillStore } from '../../../harness/drill/drill-store.ts';
import { operatorsHands } from '../../../harness/drill/operators-hands.ts';
import { NOTHING_PLANTED, prepareStore } from '../../../harness/drill/prepare-store.ts';
import type { Planted } from '../../../harness/drill/prepare-store.ts';
import type { EventOf, EventType } from '../../../harness/history/event.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { TRACE_VERSION } from '../../../harness/traffic/trace.ts';
import type { TraceRun } from '../../../harness/traffic/trace.ts';
import { makeFlipKeys } from '../../../harness/drill/flip-keys.ts';
import { forgersWays } from '../../../harness/drill/forgers-ways.ts';
import { openAuditStore } from '../../../src/store/postgres/audit-store.ts';
import { openEffectivenessStore } from '../../../src/store/postgres/effectiveness-store.ts';
import { openFlipStore } from '../../../src/store/postgres/flip-store.ts';
import { openOperatorStore } from '../../../src/store/postgres/operator-store.ts';
import { resolveStoreOptions } from '../../../src/store/postgres/options.ts';
import { Session } from '../../../src/store/postgres/session.ts';
import type { StoreHandles } from '../../src/store/contract/world.ts';
import { PATIENT, prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { scenarioText } from '../scenario/scenario-text.ts';
import { openWorld } from '../world/world-client.ts';
import type { TestWorld } from '../world/world-client.ts';

/** A database with a drill's witness in it, for all tests of a file; each test has a namespace of its own. */
export interface Rig {
  readonly database: PreparedDatabase;
  stage(runs: readonly TraceRun[]): Promise<Stage>;
  close(): Promise<void>;
}

/** Everything that a drill without a fleet has. */
export interface Stage {
  readonly namespace: string;
  readonly store: DrillStore;
  /** What a worker and an operator of this namespace hold. */
  readonly handles: StoreHandles;
  readonly test: TestWorld;
  readonly abort: AbortController;
  /** Plays these entries without a steady state, a hold or a rest; each in flow style, as in a scenario. */
  play(contract: string | null, ...entries: readonly string[]): Promise<void>;
  /** Who asks for stops by alerts; null until a test hands it in. */
  detectors: Detectors | null;
  /** Who hears the fleet's own detectors; null until a test hands it in. */
  fleetAlerts: FleetAlerts | null;
  /** The control API that flips go over; null until a test hands it in. */
  api: ApiAddress | null;
  of<T extends EventType>(type: T): readonly EventOf<T>[];
}

export async function openRig(planted: Planted = NOTHING_PLANTED): Promise<Rig> {
  const database = await prepareDatabase();
  const ends: (() => Promise<void>)[] = [];
  const store = openStore(database, 'prepared');
  try {
    await prepareStore(store.owner, 'killdrill_worker', planted);
  } catch (error) {
    await database.close();
    throw error;
  } finally {
    await store.close();
  }
  return {
    database,
    stage: async (runs) => {
      const namespace = `ns-${randomUUID()}`;
      await database.addNamespace(namespace);
      const opened = {
        store: openStore(database, namespace),
        handles: database.open(namespace),
        test: openWorld(runs),
      };
      for (const one of Object.values(opened)) ends.push(() => one.close());
      return stageOf(namespace, runs, opened);
    },
    close: async () => {
      for (const end of ends.splice(0)) await end();
      await database.close();
    },
  };
}

function openStore({ ownerUrl, flipperUrl, workerUrl }: PreparedDatabase, namespace: string): DrillStore {
  const as = (connectionString: string) => ({ connectionString, namespace, timings: PATIENT });
  const owner = new Session('drill', resolveStoreOptions(as(ownerUrl)));
  const [flips, operator] = [openFlipStore(as(flipperUrl)), openOperatorStore(as(flipperUrl))];
  const audit = openAuditStore(as(flipperUrl));
  const forger = forgersWays(workerUrl, namespace);
  const effectiveness = openEffectivenessStore(as(flipperUrl));
  const opened = [owner, flips, operator, effectiveness, audit, forger];
  const keys = makeFlipKeys(mkdtempSync(join(tmpdir(), 'killdrill-keys-')), 'rig');
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((one) => one.close()));
    rmSync(dirname(keys.stopperFile), { recursive: true });
  };
  return { owner, flips, operator, effectiveness, patient: operator, audit, forger, keys, close };
}

function stageOf(
  namespace: string,
  runs: readonly TraceRun[],
  opened: Pick<Stage, 'store' | 'handles' | 'test'>,
): Stage {
  const { store, test } = opened;
  const { world, clock, history } = test;
  const abort = new AbortController();
  const trace = { header: { version: TRACE_VERSION, seed: 1, generator: {} }, runs } as const;
  const play = async (contract: string | null, ...entries: readonly string[]): Promise<void> => {
    const text = scenarioText({
      timeline: timelineOf(entries),
      fleet: 'fleet: { workers: 4, executors: 1, detectors: { writeRate: { per: tenant, perSecond: 60 } } }',
      ...(contract === null ? {} : { contract }),
    });
    const scenario = { ...parseScenario(text, 'x.yaml', []), steadyState: NO_STEADY_STATE, holdMs: 0, settleMs: 0 };
    const { signal } = abort;
    const hands = await operatorsHands({
      ...{
        store,
        namespace,
        stateFile: null,
        world,
        trace,
        clock,
        history,
        onFlip: () => undefined,
        detectors: stage.detectors,
        fleetAlerts: stage.fleetAlerts,
        api: stage.api,
        signal,
      },
    });
    // No entry of these tests is a fault.
    const faults = null as unknown as Faults;
    const enter = (): void => undefined;
    await new Conductor({ scenario, trace, clock, history, world, ...hands, faults, enter, signal }).play(
      clock.nowNs(),
    );
  };
  const nobody = { detectors: null, fleetAlerts: null, api: null };
  const stage: Stage = { namespace, ...opened, abort, play, of: (type) => history.of(type), ...nobody };
  return stage;
}

const NO_STEADY_STATE = { forMs: 0, effectsPerSecond: { min: 0 } } as const;

function timelineOf(entries: readonly string[]): string {
  return ['timeline:', ...entries.map((entry) => `  - ${entry}`)].join('\n');
}
