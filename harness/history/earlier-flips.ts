import { parseFlip } from '../../src/flip-text.ts';
import type { Flip } from '../../src/switch.ts';
import type { EventOf, HistoryEvent } from './event.ts';

type FlipEvent = EventOf<'flip.requested' | 'flip.answered'>;

/**
 * The events of a history as they are written now. The first histories said of a flip neither what becomes of queued work
 * nor which engagements it closes: both are in the text that the store kept of it. Where that is missing, a release closes
 * what was stopped there before, which is all that an operator could release in those drills.
 */
export function withWholeFlips(events: readonly HistoryEvent[]): readonly HistoryEvent[] {
  if (!events.some((event) => isFlip(event) && isEarly(event))) return events;
  const texts = new Map(events.flatMap((event) => (event.type === 'store.flip' ? textOf(event) : [])));
  const requested = events.filter((event) => event.type === 'flip.requested');
  return events.map((event) => {
    if (!isFlip(event) || !isEarly(event)) return event;
    const text = texts.get(event.id);
    const before = requested.filter(
      (other) => other.kind === 'stop' && other.flip < event.flip && isSame(other, event),
    );
    const closed = text?.kind === 'release' ? text.engagements : before.map(({ id }) => id);
    const engagements = event.kind === 'release' ? closed : [];
    const queue = text?.kind === 'stop' ? text.queue : null;
    return { ...event, queue, engagements, expected: 'taken' };
  });
}

function isFlip(event: HistoryEvent): event is FlipEvent {
  return event.type === 'flip.requested' || event.type === 'flip.answered';
}

function isEarly(event: FlipEvent): boolean {
  return !Object.hasOwn(event, 'engagements');
}

function isSame(one: FlipEvent, other: FlipEvent): boolean {
  return one.scope === other.scope && one.target === other.target;
}

/** One that cannot be read says nothing: the properties of flips name it. */
function textOf({ text }: EventOf<'store.flip'>): readonly (readonly [id: string, flip: Flip])[] {
  try {
    const flip = parseFlip(text);
    return [[flip.id, flip]];
  } catch {
    return [];
  }
}
