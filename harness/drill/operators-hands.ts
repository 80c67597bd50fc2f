import { randomUUID } from 'node:crypto';
import type { Flip } from '../../src/switch.ts';
import { ApiHand } from '../conductor/api-hand.ts';
import type { ApiAddress } from '../conductor/api-hand.ts';
import type { ConductorParts } from '../conductor/conductor.ts';
import type { Detectors } from '../conductor/detectors.ts';
import { Operator } from '../conductor/operator.ts';
import { Probes } from '../conductor/probes.ts';
import { sendCompensation } from '../conductor/send-compensation.ts';
import { WayBack } from '../conductor/way-back.ts';
import { OPERATOR } from '../history/operator.ts';
import type { World } from '../world/world.ts';
import type { DrillClock } from '../history/clock.ts';
import type { HistorySink } from '../history/write.ts';
import type { Trace } from '../traffic/trace.ts';
import type { DrillStore } from './drill-store.ts';
import { releaseOf, revisionOf } from './recorded-alerts.ts';
import { plantTask } from './plant-task.ts';

interface HandsParts {
  readonly store: DrillStore;
  readonly namespace: string;
  readonly world: World;
  readonly trace: Trace;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  /** Told of each flip that the store took. */
  readonly onFlip: (flip: Flip) => void;
  /** Null for a drill without alerts. */
  readonly detectors: Detectors | null;
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
): Promise<Pick<ConductorParts, 'operator' | 'wayBack' | 'probes' | 'detectors'>> {
  const { store, namespace, world, trace, clock, history, onFlip, detectors, api, signal } = parts;
  const { url } = await world.openChannel(OPERATOR);
  await Promise.all([store.flips.openEngagements(), store.operator.redReasons([])]);
  const take = { clock, history };
  const closedBy = (ids: readonly string[]) => releaseOf(store.owner, namespace, ids);
  return {
    detectors,
    operator: new Operator({
      ...take,
      store: store.flips,
      detectors,
      api: api === null ? null : new ApiHand({ address: api, clock, closedBy }),
      look: (id) => revisionOf(store.owner, namespace, id),
      namespace,
      newId: randomUUID,
      wallMs: Date.now,
      onFlip,
    }),
    wayBack: new WayBack({
      ...take,
      store: store.operator,
      trace,
      send: (entry, capability) => sendCompensation(url, entry, capability),
    }),
    probes: new Probes({ ...take, trace, plant: (task) => plantTask(store.owner, namespace, task), signal }),
  };
}
