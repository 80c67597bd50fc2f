import type { AlertOffer, AlertPlace, AlertRefusal, AlertStore, AlertTrip, TripAnswer } from '../alerts/alert-store.ts';
import { KilldrillError } from '../errors.ts';
import { putFlip, readFlip } from './memory-flips.ts';
import type { MemoryState, StoredAlert, StoredFlip } from './memory-state.ts';
import type { StoreAnswer } from './store.ts';

export type AlertOperation = keyof AlertStore;

/** Where a test may interleave, as `MemoryHooks` for the other ports. */
export interface MemoryAlertHooks {
  readonly before?: (operation: AlertOperation) => Promise<void> | void;
  readonly after?: (operation: AlertOperation) => Promise<void> | void;
}

/** A handle on the alerts of a memory store, with the answers of PostgreSQL. Each operation happens in one tick, between the two hooks. */
export class MemoryAlertStore implements AlertStore {
  readonly #state: MemoryState;
  readonly #hooks: MemoryAlertHooks;

  constructor(state: MemoryState, hooks: MemoryAlertHooks = {}) {
    this.#state = state;
    this.#hooks = hooks;
  }

  position(topic: string, partition: number): Promise<number | null> {
    return this.#do('position', () => positionIn(this.#state, topic, partition));
  }

  trip(place: AlertPlace, trip: AlertTrip, signature: string | null): Promise<TripAnswer> {
    return this.#do('trip', () => this.recordTrip(place, trip, signature));
  }

  trips(offers: readonly AlertOffer[]): Promise<readonly TripAnswer[]> {
    return this.#do('trips', () => {
      for (const { trip } of offers) refuseOther(this.#state, trip);
      return offers.map(({ place, trip, signature }) => this.recordTrip(place, trip, signature));
    });
  }

  refuse(refusals: readonly AlertRefusal[]): Promise<number | null> {
    return this.#do('refuse', () => {
      for (const { place, kind, code, why, flipId } of refusals)
        this.keep({ place, kind, alert: null, flipId, code, why });
      const first = refusals[0]?.place;
      return first === undefined ? null : positionIn(this.#state, first.topic, first.partition);
    });
  }

  place(topic: string, partition: number, from: number | null, to: number, why: string): Promise<number> {
    return this.#do('place', () => {
      const stands = positionIn(this.#state, topic, partition);
      if (stands !== from) return stands ?? this.#placed(topic, partition, null, to, why);
      return this.#placed(topic, partition, from, to, why);
    });
  }

  /** For models that plant a weaker rule: what `trip` does once it has the lock. */
  protected recordTrip(place: AlertPlace, trip: AlertTrip, signature: string | null): TripAnswer {
    const state = this.#state;
    const { detector, alertId, content, flipId } = trip;
    refuseOther(state, trip);
    const known = state.flipsById.get(flipId);
    const alert = { detector, alertId, content };
    if (known === undefined && isReused(state, trip)) return { ...this.#answer(place), kind: 'reused' };
    const revision = known === undefined ? this.staleBy(trip) : null;
    if (revision !== null) {
      this.keep({ place, kind: 'stale', alert, flipId, code: null, why: `closed at revision ${revision}` });
      return { ...this.#answer(place), kind: 'stale', revision };
    }
    const stored = known ?? putFlip(state, trip.text, signature);
    const kind = isDuplicate(state, place, flipId) ? 'duplicate' : 'flip';
    this.keep({ place, kind, alert, flipId, code: null, why: null });
    const isOpen = stored.engagement?.closedRevision === null;
    return { ...this.#answer(place), kind, record: stored.record, isOpen };
  }

  /** The release that makes this alert stale; null when there is none. */
  protected staleBy({ text, ground }: AlertTrip): number | null {
    const flip = readFlip(this.#state, text);
    const isLater = ({ engagement }: StoredFlip): boolean => {
      const revision = engagement?.closedRevision ?? null;
      if (revision === null) return false;
      if (ground.kind === 'revision') return revision > ground.revision;
      return (this.#state.flipTimes.get(revision) ?? 0) > ground.atMs;
    };
    const closing = this.#state.flips.filter((stored) => {
      const opened = readFlip(this.#state, stored.record.text);
      const isSameSwitch = opened.scope === flip.scope && opened.target === flip.target;
      const isSameDetector = opened.source === flip.source && opened.triggeredBy === flip.triggeredBy;
      return isSameSwitch && isSameDetector && isLater(stored);
    });
    return closing.length === 0 ? null : Math.max(...closing.map(({ engagement }) => engagement?.closedRevision ?? 0));
  }

  /** Puts an alert on record, and moves the position if it stands there. */
  protected keep(alert: StoredAlert): void {
    const { alerts } = this.#state;
    if (!alerts.some(({ place }) => isSame(place, alert.place))) alerts.push(alert);
    this.move(alert.place);
  }

  /** From this alert to the next, and by no other way. */
  protected move({ topic, partition, position }: AlertPlace): void {
    if (positionIn(this.#state, topic, partition) === position) this.setPosition(topic, partition, position + 1);
  }

  protected setPosition(topic: string, partition: number, position: number): void {
    this.#state.alertPositions.set(keyOf(topic, partition), position);
  }

  #placed(topic: string, partition: number, from: number | null, to: number, why: string): number {
    this.#state.alertPlacings.push({ topic, partition, from, to, why });
    this.setPosition(topic, partition, to);
    return to;
  }

  #answer({ topic, partition }: AlertPlace): StoreAnswer & { readonly position: number | null } {
    const { head, ageMs } = this.#state;
    return { head, ageMs, position: positionIn(this.#state, topic, partition) };
  }

  async #do<T>(operation: AlertOperation, work: () => T): Promise<T> {
    await this.#hooks.before?.(operation);
    const answer = work();
    await this.#hooks.after?.(operation);
    return answer;
  }
}

/** Whether the store has refused the stop of an alert: whoever holds it early is told that it is closed. */
export function isRefusedAlert(state: MemoryState, flipId: string): boolean {
  if (state.flipsById.has(flipId)) return false;
  return state.alerts.some((alert) => alert.flipId === flipId && (alert.kind === 'stale' || alert.kind === 'poison'));
}

/** @throws KilldrillError `FLIP_NAMESPACE`, or `FLIP_UNREADABLE` for what is not the stop of this alert */
function refuseOther(state: MemoryState, { alertId, flipId, detector, text }: AlertTrip): void {
  const flip = readFlip(state, text);
  if (flip.kind === 'stop' && flip.id === flipId && flip.triggeredBy === detector) return;
  const expected = `its flip id '${flipId}' and its detector '${detector}'`;
  throw new KilldrillError('FLIP_UNREADABLE', `the stop of alert '${alertId}' does not bear ${expected}`);
}

function positionIn(state: MemoryState, topic: string, partition: number): number | null {
  return state.alertPositions.get(keyOf(topic, partition)) ?? null;
}

function keyOf(topic: string, partition: number): string {
  return `${partition} ${topic}`;
}

function isReused(state: MemoryState, { detector, alertId, content }: AlertTrip): boolean {
  return state.alerts.some(
    ({ alert }) =>
      alert !== null && alert.detector === detector && alert.alertId === alertId && alert.content !== content,
  );
}

function isDuplicate(state: MemoryState, place: AlertPlace, flipId: string): boolean {
  return state.alerts.some((one) => one.kind === 'flip' && one.flipId === flipId && !isSame(one.place, place));
}

function isSame(one: AlertPlace, other: AlertPlace): boolean {
  return (
    one.topic === other.topic &&
    one.partition === other.partition &&
    one.position === other.position &&
    one.message === other.message
  );
}
