import { KilldrillError } from '../../src/errors.ts';
import type { AlertFacts, EventOf, HistoryEvent } from '../history/event.ts';

/** One alert that the drill put on the bus, by however many tries. */
export interface DrillAlert extends AlertFacts {
  /** It was not on the bus before this. */
  readonly publishedNs: number;
  /** Its first try began before this, for certain. */
  readonly sentNs: number;
  /** By then the bus had it for certain; null when nobody knows. */
  readonly acknowledgedNs: number | null;
}

/** An alert that the bus has for certain. */
export interface AcknowledgedAlert extends DrillAlert {
  readonly acknowledgedNs: number;
}

/** What detectors sent, and what the store and the bus have of it. */
export interface AlertAccount {
  /** In the order in which they were published. */
  readonly published: readonly DrillAlert[];
  /** The same by their bytes, those of a copy by what it copies. */
  readonly byContent: ReadonlyMap<string, DrillAlert>;
  readonly records: readonly EventOf<'store.alert'>[];
  /** Those that name an alert's bytes, by them. */
  readonly recordsOf: ReadonlyMap<string, readonly EventOf<'store.alert'>[]>;
  readonly positions: readonly EventOf<'store.alertPosition'>[];
  readonly letters: readonly EventOf<'bus.deadLetter'>[];
}

/** A try that the bus did not confirm may have reached it all the same: what counts is that some try was acknowledged. */
export function alertsOf(events: readonly HistoryEvent[]): AlertAccount {
  const published = new Map<number, DrillAlert>();
  const records: EventOf<'store.alert'>[] = [];
  const positions: EventOf<'store.alertPosition'>[] = [];
  const letters: EventOf<'bus.deadLetter'>[] = [];
  const stops = new Map<string, number>();
  for (const event of events) {
    if (event.type === 'alert.published') {
      if (!published.has(event.alert)) published.set(event.alert, { ...factsOf(event), ...timesOf(event) });
    } else if (event.type === 'alert.acknowledged') {
      const sent = published.get(event.alert);
      if (sent === undefined)
        throw new KilldrillError('HISTORY_BROKEN', `alert ${event.alert} was acknowledged, but never published`);
      if (event.ok && sent.acknowledgedNs === null) published.set(event.alert, { ...sent, acknowledgedNs: event.t1 });
    } else if (event.type === 'flip.requested') stops.set(event.id, event.flip);
    else if (event.type === 'store.alert') records.push(event);
    else if (event.type === 'store.alertPosition') positions.push(event);
    else if (event.type === 'bus.deadLetter') letters.push(event);
  }
  // Which of the fleet's own alerts a stop of the timeline came of is known when it is in the store.
  const inOrder = [...published.values()].map((alert) => ({
    ...alert,
    flip: alert.flip ?? stops.get(alert.flipId ?? '') ?? null,
  }));
  const byContent = new Map(inOrder.toReversed().map((alert) => [alert.content, alert]));
  return { published: inOrder, byContent, records, recordsOf: byTheirContent(records), positions, letters };
}

function byTheirContent(
  records: readonly EventOf<'store.alert'>[],
): ReadonlyMap<string, readonly EventOf<'store.alert'>[]> {
  const groups = new Map<string, EventOf<'store.alert'>[]>();
  for (const record of records) {
    if (record.content === null) continue;
    const there = groups.get(record.content);
    if (there === undefined) groups.set(record.content, [record]);
    else there.push(record);
  }
  return groups;
}

function factsOf(event: AlertFacts): AlertFacts {
  const { alert, kind, flip, detector, id, scope, target, mode, flipId, content } = event;
  return { alert, kind, flip, detector, id, scope, target, mode, flipId, content };
}

function timesOf({ t0, t1 }: EventOf<'alert.published'>): Omit<DrillAlert, keyof AlertFacts> {
  return { publishedNs: t0, sentNs: t1, acknowledgedNs: null };
}

/** Those that the bus has for certain: the truth that the store is held against. */
export function acknowledged({ published }: AlertAccount): readonly AcknowledgedAlert[] {
  return published.filter((alert): alert is AcknowledgedAlert => alert.acknowledgedNs !== null);
}

/** How a sentence names an alert. */
export function alertName({ alert, kind, scope, target }: AlertFacts): string {
  const on = scope === null ? '' : ` on ${scope === 'global' ? 'global' : `${scope}:${target ?? ''}`}`;
  return `alert ${alert} (${kind}${on})`;
}
