import { KilldrillError } from '../../src/errors.ts';
import { SCOPES } from '../../src/switch.ts';
import type { Switch } from '../../src/switch.ts';
import type { FlipFacts, HistoryEvent } from '../history/event.ts';

/** One flip of the drill as the harness knows it. */
export interface DrillFlip {
  readonly flip: number;
  readonly kind: 'stop' | 'release';
  readonly on: Switch;
  readonly mode: string | null;
  readonly id: string;
  readonly requestNs: number;
  /** By then it was durable; null when it was never acknowledged. */
  readonly durableNs: number | null;
  readonly revision: number | null;
  /** `refused`: the store answered that it would not. `silent`: nobody knows. */
  readonly answer: 'acknowledged' | 'refused' | 'silent';
}

/** An acknowledged stop and the stretch in which nothing in its scope may happen. */
export interface Stop extends DrillFlip {
  readonly durableNs: number;
  readonly revision: number;
  /**
   * When its release was asked for, or null. The stop's promise ends here and not at the answer: a release is in force
   * as soon as it is durable, which is before its answer is read.
   */
  readonly releaseNs: number | null;
  /** By then the release was durable; null when there was none, or none that was acknowledged. */
  readonly releasedNs: number | null;
}

/** All flips of the drill in the order in which they were asked for. */
export function flipsOf(events: readonly HistoryEvent[]): readonly DrillFlip[] {
  const flips = new Map<number, DrillFlip>();
  for (const event of events) {
    if (event.type === 'flip.requested') {
      const { flip, kind, mode, id, t0: requestNs } = event;
      const unanswered = { durableNs: null, revision: null, answer: 'silent' } as const;
      flips.set(flip, { flip, kind, on: switchOf(event), mode, id, requestNs, ...unanswered });
    } else if (event.type === 'flip.answered') {
      const asked = flips.get(event.flip);
      if (asked === undefined)
        throw new KilldrillError('HISTORY_BROKEN', `flip ${event.flip} was answered, but never requested`);
      const acknowledged = event.ok && event.revision !== null;
      if (acknowledged)
        flips.set(event.flip, { ...asked, durableNs: event.t1, revision: event.revision, answer: 'acknowledged' });
      else flips.set(event.flip, { ...asked, answer: 'refused' });
    }
  }
  return [...flips.values()];
}

/** The acknowledged stops, each with the first later release of its switch. `onRecord` says whether the store holds a flip. */
export function stopsOf(flips: readonly DrillFlip[], onRecord: (id: string) => boolean): readonly Stop[] {
  const stops: Stop[] = [];
  for (const flip of flips) {
    const { durableNs, revision } = flip;
    if (flip.kind !== 'stop' || durableNs === null || revision === null) continue;
    const release = flips.find((other) => releases(other, flip) && (other.answer !== 'refused' || onRecord(other.id)));
    stops.push({
      ...flip,
      durableNs,
      revision,
      releaseNs: release?.requestNs ?? null,
      releasedNs: release?.durableNs ?? null,
    });
  }
  return stops;
}

function releases(release: DrillFlip, stop: DrillFlip): boolean {
  if (release.kind !== 'release' || release.flip < stop.flip) return false;
  return release.on.scope === stop.on.scope && release.on.target === stop.on.target;
}

function switchOf(facts: FlipFacts): Switch {
  const scope = SCOPES.find((known) => known === facts.scope);
  if (scope !== undefined) return { scope, target: facts.target };
  throw new KilldrillError(
    'HISTORY_BROKEN',
    `flip ${facts.flip} has scope '${facts.scope}', which is none of ${SCOPES.join(', ')}`,
  );
}

/** How a sentence names a switch. */
export function nameOf(on: Switch): string {
  return on.scope === 'global' ? 'global' : `${on.scope}:${on.target}`;
}
