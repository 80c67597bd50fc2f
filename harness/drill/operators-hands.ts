import { randomUUID } from 'node:crypto';
import { vouchForHead } from '../../src/control/vouch-for-head.ts';
import { readFlipKeys } from '../../src/flip-signature.ts';
import type { Flip } from '../../src/switch.ts';
import { ApiHand } from '../conductor/api-hand.ts';
import type { ApiAddress } from '../conductor/api-hand.ts';
import type { ConductorParts } from '../conductor/conductor.ts';
import type { Detectors } from '../conductor/detectors.ts';
import { Forger } from '../conductor/forger.ts';
import { Operator } from '../conductor/operator.ts';
import { Observer } from '../conductor/observer.ts';
import { Probes } from '../conductor/probes.ts';
import { sendCompensation } from '../conductor/send-compensation.ts';
import { WayBack } from '../conductor/way-back.ts';
import type { FleetAlerts } from '../conductor/fleet-alerts.ts';
import { Runaways } from '../conductor/runaways.ts';
import { OPERATOR } from '../history/operator.ts';
import type { World } from '../world/world.ts';
import type { DrillClock } from '../history/clock.ts';
import type { HistorySink } from '../history/write.ts';
import type { Trace } from '../traffic/trace.ts';
import type { DrillStore } from './drill-store.ts';
import { releaseOf, revisionOf, stopsOn } from './recorded-alerts.ts';
import { plantTask } from './plant-task.ts';

interface HandsParts {
  readonly store: DrillStore;
  readonly namespace: string;
  /** Null for a drill without one. */
  readonly stateFile: string | null;
  readonly world: World;
  readonly trace: Trace;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  /** Told of each flip that the store took. */
  readonly onFlip: (flip: Flip) => void;
  /** Null for a drill without alerts. */
  readonly detectors: Detectors | null;
  /** Those of the fleet's own detectors; null for a fleet without any. */
  readonly fleetAlerts?: FleetAlerts | null;
  /** Null for a drill without an API. */
  readonly api: ApiAddress | null;
  readonly signal: AbortSignal;
}

/**
 * Whatever acts in the operator's place, ready to act: its channel to the world is open, and the first stop does not have to
 * pay for its connections.
 */
export async function operatorsHands(
  parts: HandsParts,
): Promise<Pick<ConductorParts, 'operator' | 'forger' | 'observer' | 'wayBack' | 'probes' | 'detectors'>> {
  const { store, namespace, stateFile, world, trace, clock, history, onFlip, detectors, api, signal } = parts;
  const { fleetAlerts = null } = parts;
  const { url } = await world.openChannel(OPERATOR);
  await Promise.all([store.flips.openEngagements(), store.operator.redReasons([])]);
  const take = { clock, history };
  const ids = { namespace, newId: randomUUID, wallMs: Date.now };
  const { keys } = store;
  const closedBy = (closed: readonly string[]) => releaseOf(store.owner, namespace, closed);
  const operator = new Operator({
    ...{ ...take, ...ids, store: store.flips, detectors, stateFile, onFlip, sign: keys.operator },
    runaways: fleetAlerts === null ? null : runawaysOf(parts, fleetAlerts),
    api: api === null ? null : new ApiHand({ address: api, clock, closedBy }),
    look: (id) => revisionOf(store.owner, namespace, id),
    vouch: () => vouch(store, namespace),
  });
  return {
    detectors,
    operator,
    forger: new Forger({
      ...{ ...take, ...ids, ways: store.forger, keys },
      openOn: ({ scope, target }) => operator.openOn({ scope, target }),
      released: () => releasedBy(operator),
    }),
    observer: new Observer({ ...take, store: store.effectiveness, signal }),
    wayBack: new WayBack({
      ...take,
      store: store.operator,
      trace,
      send: (entry, capability) => sendCompensation(url, entry, capability),
    }),
    probes: new Probes({ ...take, trace, plant: (task) => plantTask(store.owner, namespace, task), signal }),
  };
}

function releasedBy({ released }: Operator) {
  if (released === null) return null;
  const { text, signature, flip } = released;
  return { text, signature, id: flip.id, engagements: flip.engagements };
}

/** Without it a cold worker only looks at more releases: the drill goes on. */
async function vouch({ audit, keys }: DrillStore, namespace: string): Promise<void> {
  await vouchForHead({ store: audit, namespace, keys: readFlipKeys(keys.publicKey), sign: keys.operator }).catch(
    () => undefined,
  );
}

function runawaysOf({ store, namespace, world, trace, clock, history }: HandsParts, alerts: FleetAlerts): Runaways {
  return new Runaways({
    ...{ trace, world, alerts, clock, history },
    stopsOn: (on, afterRevision) => stopsOn(store.owner, namespace, on, afterRevision),
  });
}
