import { KilldrillError } from '../../src/errors.ts';
import { SCOPES } from '../../src/switch.ts';
import type { Switch } from '../../src/switch.ts';
import type { EventOf, FlipFacts, HistoryEvent } from '../history/event.ts';

/** One flip of the drill as the harness knows it. */
export interface DrillFlip {
  readonly flip: number;
  readonly kind: 'stop' | 'release';
  readonly on: Switch;
  readonly mode: string | null;
  /** Of a stop: what becomes of queued work; always `park` in mode `halt_noncritical`. */
  readonly queue: string | null;
  readonly id: string;
  /** Of a release: the engagements that it names. */
  readonly engagements: readonly string[];
  /** Of a release: whether the scenario expects the store to refuse it. */
  readonly expected: 'taken' | 'refused';
  readonly requestNs: number;
  /** By then it was durable; null when it was never seen to be. */
  readonly durableNs: number | null;
  readonly revision: number | null;
  /** By then its taker had answered that it is not durable yet; null for every other answer. */
  readonly provisionalNs: number | null;
  /**
   * `provisional`: taken, and never seen in the store; once it is seen there it is `acknowledged`. `refused`: the answer was
   * that it is not taken. `silent`: nobody knows.
   */
  readonly answer: 'acknowledged' | 'provisional' | 'refused' | 'silent';
  /** Why it was refused, in its taker's words; of what an alert asks for, what the harness waited for in vain. */
  readonly error: string | null;
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
  /** How long admitted tasks pass; null unless it drains, or when nobody knows. */
  readonly drainMs: number | null;
}

/** All flips of the drill in the order in which they were asked for. */
export function flipsOf(events: readonly HistoryEvent[]): readonly DrillFlip[] {
  const flips = new Map<number, DrillFlip>();
  const byAlert = new Set<number>();
  const alertIds = new Set<string>();
  for (const event of events) {
    if (event.type === 'alert.published') {
      if (event.flip !== null) byAlert.add(event.flip);
      if (event.flipId !== null) alertIds.add(event.flipId);
    } else if (event.type === 'flip.requested') {
      // The fleet's own alert is published before anybody knows which stop it comes to.
      if (alertIds.has(event.id)) byAlert.add(event.flip);
      flips.set(event.flip, requestedBy(event));
    } else if (event.type === 'flip.answered' || event.type === 'flip.durable') {
      const asked = flips.get(event.flip);
      if (asked === undefined)
        throw new KilldrillError('HISTORY_BROKEN', `flip ${event.flip} was answered, but never requested`);
      flips.set(event.flip, { ...asked, ...answerOf(event, byAlert.has(event.flip)) });
    }
  }
  return [...flips.values()];
}

function requestedBy(event: EventOf<'flip.requested'>): DrillFlip {
  const { flip, kind, mode, id, engagements, expected, t0: requestNs } = event;
  const queue = mode === 'halt_noncritical' ? 'park' : event.queue;
  const unanswered = { durableNs: null, revision: null, provisionalNs: null, answer: 'silent', error: null } as const;
  return { flip, kind, on: switchOf(event), mode, queue, id, engagements, expected, requestNs, ...unanswered };
}

type Answer = Partial<Pick<DrillFlip, 'id' | 'durableNs' | 'revision' | 'provisionalNs' | 'answer' | 'error'>>;

function answerOf(event: EventOf<'flip.answered' | 'flip.durable'>, isByAlert: boolean): Answer {
  const { revision, t1, id } = event;
  const isTaken = event.type === 'flip.durable' || event.ok;
  if (isTaken && revision !== null) return { id, durableNs: t1, revision, answer: 'acknowledged' };
  if (event.type === 'flip.answered' && event.ok && event.provisional !== undefined)
    return { provisionalNs: t1, answer: 'provisional' };
  const { error } = event as EventOf<'flip.answered'>;
  // Nobody refuses what an alert asks for: what is not in the store yet may get there.
  return { answer: isByAlert ? 'silent' : 'refused', error };
}

export interface StoreWords {
  /** Whether the store holds a flip. */
  readonly onRecord: (id: string) => boolean;
  /** How long an engagement drains, by its stored text; null when it does not. */
  readonly drainMs: (id: string) => number | null;
}

/** The acknowledged stops, each with the first later release that names its engagement: stops overlap, and one's release is none of another's. */
export function stopsOf(flips: readonly DrillFlip[], { onRecord, drainMs }: StoreWords): readonly Stop[] {
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
      drainMs: drainMs(flip.id),
    });
  }
  return stops;
}

function releases(release: DrillFlip, stop: DrillFlip): boolean {
  return release.kind === 'release' && release.flip > stop.flip && release.engagements.includes(stop.id);
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
