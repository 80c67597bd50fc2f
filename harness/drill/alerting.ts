import { randomUUID } from 'node:crypto';
import { readDetectorKeys } from '../../src/alerts/detector-keys.ts';
import { DEFAULT_SKEW_MS } from '../../src/alerts/judge-alert.ts';
import type { AlertPolicy } from '../../src/alerts/judge-alert.ts';
import type { Session } from '../../src/store/postgres/session.ts';
import { Detectors } from '../conductor/detectors.ts';
import { FLEET_DETECTOR, makeDrillKeys } from '../conductor/drill-keys.ts';
import type { DrillKeys } from '../conductor/drill-keys.ts';
import { FleetAlerts } from '../conductor/fleet-alerts.ts';
import type { DrillDatabase, Environment } from '../environment/environment.ts';
import type { DrillClock } from '../history/clock.ts';
import type { Executors } from '../fleet/executors.ts';
import type { DetectingFleet } from '../fleet/worker-planes.ts';
import type { HistorySink } from '../history/write.ts';
import { isByAlert } from '../scenario/by-alert.ts';
import type { DetectorsSpec, Scenario } from '../scenario/scenario.ts';
import type { DrillBus } from './drill-bus.ts';
import { openDrillBus } from './drill-bus.ts';
import type { DrillInput } from './drill-input.ts';
import { recordedAlerts } from './recorded-alerts.ts';
import type { DrillFlipKeys } from './flip-keys.ts';
import { alertQueueOf, makeExecutors } from './start-executors.ts';

export interface AlertingParts {
  readonly scenario: Scenario;
  readonly environment: Environment;
  readonly database: DrillDatabase;
  readonly owner: Session;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly signal: AbortSignal;
}

/** A drill's alerts: its bus, the keys of its detectors, and the detectors. */
export interface Alerting {
  readonly bus: DrillBus;
  readonly keys: DrillKeys;
  readonly detectors: Detectors;
  /** Those of the fleet's own detectors; null for a fleet without any. */
  readonly fleetAlerts: FleetAlerts | null;
}

/** Whether anything in this scenario is about alerts. */
export function hasAlerts({ fleet, timeline }: Scenario): boolean {
  return (
    fleet.executors > 0 ||
    fleet.detectors !== null ||
    timeline.some((entry) => entry.kind === 'alerts' || byAlert(entry))
  );
}

/** @throws what the bus throws at the making of the drill's topics */
export async function openAlerting(parts: AlertingParts): Promise<Alerting> {
  const { environment, database, owner, clock, history, scenario, signal } = parts;
  const namespace = database.name;
  const keys = makeDrillKeys(scenario.fleet.detectors?.writeRate.per ?? null);
  const queue = alertQueueOf(scenario);
  const bus = await openDrillBus(environment, database, owner);
  const policy: AlertPolicy = {
    ...{ namespace, queue, keys: readDetectorKeys(keys.list), skewMs: DEFAULT_SKEW_MS, unsigned: 'accepted' },
  };
  const detectors = new Detectors({
    ...{ publisher: bus.publisher, namespace, privateKey: keys.privateKey, policy, clock, history, signal },
    ...{ newId: randomUUID, wallMs: Date.now, recorded: (contents) => recordedAlerts(owner, namespace, contents) },
  });
  const fleetAlerts = new FleetAlerts({
    ...{ policy, clock, history, wallMs: Date.now, nextAlert: () => detectors.nextAlert() },
    acknowledged: (facts) => detectors.acknowledged(facts),
  });
  return { bus, keys, detectors, fleetAlerts: keys.fleetKey === null ? null : fleetAlerts };
}

/** What workers are told of their detectors and of the bus, and who hears of their alerts; null for a fleet without detectors. */
export function detectingOf(
  { plan, environment }: Pick<DrillInput, 'plan' | 'environment'>,
  { bus, keys, fleetAlerts }: Alerting,
): DetectingFleet | null {
  const { kafka } = environment;
  const { detectors } = plan.scenario.fleet;
  if (detectors === null || keys.fleetKey === null || fleetAlerts === null) return null;
  return {
    variables: {
      KILLDRILL_DETECTORS: JSON.stringify(detectorsFile(detectors)),
      KILLDRILL_DETECTOR_KEY: keys.fleetKey,
    },
    kafka: kafka === null || bus.topics === null ? null : { server: kafka, topics: bus.topics },
    said: (line) => fleetAlerts.heard(line),
  };
}

/** As `readDetectors` reads it. */
function detectorsFile({ writeRate }: DetectorsSpec): unknown {
  const { per, perSecond, windowMs } = writeRate;
  const rule = { kind: 'write-rate', per, windowMs, perSecond };
  return { detector: FLEET_DETECTOR, widestScope: per, rules: [rule] };
}

/** The executors that read this bus, not started yet; null for a scenario without any. */
export function executorsOf(
  { plan, environment, folder, executorCommand, onSpawned, startProxy }: DrillInput,
  database: DrillDatabase,
  { bus, keys, flipKeys }: Alerting & { readonly flipKeys: DrillFlipKeys },
  history: HistorySink,
): Executors | null {
  const { kafka, postgres } = environment;
  return makeExecutors({
    ...{ scenario: plan.scenario, command: executorCommand ?? null, database, postgres: postgres.target, folder },
    ...{ history, onSpawned, startProxy, detectorKeys: keys.list, flipKeys },
    kafka: kafka === null || bus.topics === null ? null : { server: kafka, topics: bus.topics },
  });
}

/** Puts what the topic of dead letters holds into the history. */
export async function readDeadLetters({ bus }: Alerting, history: HistorySink): Promise<void> {
  for (const letter of await bus.deadLetters()) history.append({ type: 'bus.deadLetter', ...letter });
}

function byAlert(entry: Scenario['timeline'][number]): boolean {
  return entry.kind === 'flip' && isByAlert(entry.via);
}
