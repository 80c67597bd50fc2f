import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { Faults } from '../../../harness/conductor/faults.ts';
import { makeFlipKeys } from '../../../harness/drill/flip-keys.ts';
import { makeExecutors } from '../../../harness/drill/start-executors.ts';
import { storeUrl } from '../../../harness/drill/store-address.ts';
import { chooseDrillFolder, makeDrillFolder } from '../../../harness/environment/drill-folder.ts';
import type { Environment } from '../../../harness/environment/environment.ts';
import { startGuardian } from '../../../harness/environment/guardian.ts';
import type { Guardian } from '../../../harness/environment/guardian.ts';
import type { Executors } from '../../../harness/fleet/executors.ts';
import type { Fleet } from '../../../harness/fleet/fleet.ts';
import { startDrillClock } from '../../../harness/history/clock.ts';
import type { EventBody, HistoryEvent } from '../../../harness/history/event.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { AlertSender } from '../../../src/alerts/alert-sender.ts';
import { KafkaBus } from '../../../src/alerts/kafka-bus.ts';
import { systemClock } from '../../../src/clock.ts';
import { openAlertPublisher } from '../../../src/store/postgres/alert-bus.ts';
import { openFlipStore } from '../../../src/store/postgres/flip-store.ts';
import { newDetector } from '../../src/alerts/samples.ts';
import { PATIENT } from '../../src/store/postgres/prepared-database.ts';
import { scenarioText } from '../scenario/scenario-text.ts';

export const WAIT = { timeout: 60_000, interval: 10 };

type Start = (parts: { readonly folder: string; readonly guardian: Guardian }) => Promise<Environment>;

/** One executor under drill, on the servers of an environment, and a detector. */
export interface ExecutorsStage {
  readonly environment: Environment;
  readonly executors: Executors;
  readonly events: readonly EventBody[];
  /** Publishes a signed alert that asks for the stop of this tenant. */
  readonly raise: (tenant: string) => Promise<void>;
  /** Targets that the store has stopped, in order. */
  readonly durable: () => Promise<readonly string[]>;
  /** What an executor said, this event only, in order. */
  readonly said: (event: string) => readonly Readonly<Record<string, unknown>>[];
  readonly faults: Faults;
  readonly until: (condition: () => boolean) => Promise<void>;
  close(): Promise<void>;
}

export async function openExecutorsStage(start: Start): Promise<ExecutorsStage> {
  const folder = chooseDrillFolder();
  const guardian = await startGuardian({ folder });
  makeDrillFolder(folder);
  const environment = await start({ folder, guardian });
  const database = await environment.createDatabase('drill_1');
  const server = environment.kafka;
  const topics = (await server?.createTopics(database.name)) ?? null;
  const detector = newDetector();
  const events: EventBody[] = [];
  const history = {
    append(body: EventBody): HistoryEvent {
      events.push(body);
      return { v: 1, seq: events.length, clock: 'mono', t0: 0, t1: 0, ...body };
    },
  };
  const executors = makeExecutors({
    scenario: parseScenario(scenarioText({ fleet: 'fleet: { workers: 1, executors: 1 }' }), 'x.yaml', []),
    command: null,
    database,
    postgres: environment.postgres.target,
    kafka: server === null || topics === null ? null : { server, topics },
    detectorKeys: [detector.entry],
    flipKeys: makeFlipKeys(folder, database.name),
    folder,
    history,
    onSpawned: (pid) => guardian.watch(pid),
  });
  if (executors === null) throw new Error('the scenario has an executor');
  await executors.start(new AbortController().signal);
  const owner = { namespace: database.name, timings: PATIENT };
  const url = storeUrl(environment.postgres.target, database.flipper, database.name);
  const flips = openFlipStore({ ...owner, connectionString: url });
  const publisher =
    server === null || topics === null
      ? openAlertPublisher({ ...owner, connectionString: url })
      : new KafkaBus({ brokers: [server.door('killdrill').brokers], topic: topics.alerts, newId: randomUUID });
  const sender = new AlertSender({
    ...{ publisher, namespace: database.name, privateKey: detector.privateKey, newId: randomUUID },
    ...{ clock: systemClock, observedRevision: () => null },
  });
  const fleet = null as unknown as Fleet; // no fault of these tests is on a worker
  const { postgres, kafka } = environment;
  const ground = {
    fleet,
    executors,
    api: null,
    postgres,
    kafka,
    stateFile: null,
    signal: new AbortController().signal,
  };
  const faults = new Faults(ground, history, startDrillClock(), 42);
  return {
    ...{ environment, executors, events, faults },
    raise: (target) =>
      sender.raise({
        ...{ detector: 'write-rate', scope: 'tenant', target, mode: 'halt_all', reason: 'it writes too much' },
        evidence: { metric: 'writes', value: 9, threshold: 1 },
      }),
    durable: async () => (await flips.openEngagements()).map(({ flip }) => flip.target),
    said: (event) =>
      events.flatMap((one) => (one.type === 'executor.said' && one.said['event'] === event ? [one.said] : [])),
    until: async (condition) => {
      await expect.poll(condition, WAIT).toBe(true);
    },
    close: async () => {
      await faults.undoAll();
      await executors.stop(5_000);
      await executors.close();
      await Promise.all([flips.close(), publisher.close()]);
      await environment.close();
      await guardian.done();
    },
  };
}
