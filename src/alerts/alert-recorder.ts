import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import type { Registry } from '../registry.ts';
import { within } from '../within.ts';
import { TRIPS, placeOf } from './alert-lane.ts';
import type { AlertLane, LaneStep, RefusalEntry, TripEntry } from './alert-lane.ts';
import type { AlertStore, TripAnswer } from './alert-store.ts';
import type { PoisonCode } from './judge-alert.ts';
import { Rounds } from './rounds.ts';

interface RecorderParts {
  readonly store: AlertStore;
  readonly registry: Pick<Registry, 'arrive' | 'relayed' | 'withdraw' | 'offer'>;
  readonly clock: Clock;
  readonly retryMs: number;
  readonly callMs: number;
  /** A stop turned out to be poison. */
  readonly poisoned: (lane: AlertLane, entry: TripEntry, code: PoisonCode, why: string) => void;
  /** Told of each answer about a stop. */
  readonly answered: (entry: TripEntry, answer: TripAnswer) => void;
  /** Enforced here before the store had answered. */
  readonly heldEarly: (entry: TripEntry) => void;
  /** The store's position has moved as far as this lane brought it. */
  readonly moved: (lane: AlertLane, position: number) => void;
  /** The store stands before what this lane has read. */
  readonly ahead: (lane: AlertLane) => void;
  readonly onError: (error: Error) => void;
}

/** What the store says of a stop that it will never take: asking again would hold up all behind it. */
const FOR_EVER = new Set(['FLIP_UNREADABLE', 'FLIP_NAMESPACE', 'FLIP_ID_REUSED', 'STORE_VALUE']);

/** In a storm the bus is told of every so many steps: its position is a hint. */
const TOLD_EVERY = 16;

/**
 * Brings what lanes hold to the store. Stops first, whatever is before them, so that none waits for poison; then each
 * lane's position, in order. While the store does not answer, stops are enforced here and positions stay.
 */
export class AlertRecorder {
  readonly #parts: RecorderParts;
  readonly #rounds: Rounds;
  #lanes: readonly AlertLane[] = [];
  #isAway = false;
  #steps = 0;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    const { clock, retryMs, onError } = parts;
    this.#rounds = new Rounds({ clock, retryMs, onError, round: () => this.#round() });
  }

  /** Whether the store failed to answer when it was asked last. */
  get isAway(): boolean {
    return this.#isAway;
  }

  get lanes(): readonly AlertLane[] {
    return this.#lanes;
  }

  add(lane: AlertLane): void {
    this.#lanes = [...this.#lanes, lane];
  }

  poke(): void {
    this.#rounds.poke();
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  /**
   * Enforces a stop here without the store's word; it ends by that word only. As long as the store answers us we offer it
   * ourselves, since a relay knows neither what is stale nor which ids were used.
   */
  hold(entry: TripEntry): void {
    entry.cancelTimer();
    if (entry.isAnswered || entry.isHeld) return;
    entry.isHeld = true;
    const { text } = entry.trip;
    const offered = this.#isAway ? 'here' : 'elsewhere';
    this.#locally(() =>
      this.#parts.registry.arrive({ text, signature: entry.signature, place: null, offered, authority: 'path' }),
    );
    this.#parts.heldEarly(entry);
  }

  /** Stops of this lane that are held here may go to the store by any other path from now on. */
  handOver(lane: AlertLane): void {
    for (const { isHeld, trip } of lane.unanswered()) if (isHeld) this.#parts.registry.offer(trip.flipId);
  }

  async #round(): Promise<void> {
    try {
      const lane = this.#widest();
      if (lane !== null) await this.#recordStops(lane);
      let isMore = false;
      for (const one of this.#lanes) isMore = (await this.#advance(one)) || isMore;
      if (isMore || this.#widest() !== null) this.#rounds.poke();
    } catch (thrown) {
      this.#isAway = true;
      for (const lane of this.#lanes) {
        for (const entry of lane.unanswered()) this.hold(entry);
        this.handOver(lane);
      }
      throw thrown;
    } finally {
      this.#lanes = this.#lanes.filter((lane) => !(lane.isLeft && lane.isEmpty));
    }
  }

  /** The lane whose stops are next: that of the widest scope, and among equals the one where most wait. Null when none waits. */
  #widest(): AlertLane | null {
    const waiting = this.#lanes.flatMap((lane) => {
      const stops = lane.unanswered();
      return stops.length === 0
        ? []
        : [{ lane, width: Math.min(...stops.map(({ width }) => width)), count: stops.length }];
    });
    const [first] = waiting.toSorted((one, other) => one.width - other.width || other.count - one.count);
    return first?.lane ?? null;
  }

  /** One statement, widest scope first: in a storm, the stop that matters most waits for no other's turn. */
  #recordStops(lane: AlertLane): Promise<void> {
    const stops = lane.unanswered().toSorted((one, other) => one.width - other.width);
    return this.#recordBatch(lane, stops.slice(0, TRIPS));
  }

  async #recordBatch(lane: AlertLane, batch: readonly TripEntry[]): Promise<void> {
    const offers = batch.map(({ message, trip, signature }) => ({ place: placeOf(message), trip, signature }));
    let answers: readonly TripAnswer[] = [];
    try {
      if (batch.length > 1) answers = await this.#bounded('the stops of alerts', this.#parts.store.trips(offers));
    } catch (thrown) {
      // None was recorded for the sake of one, which is found when each is asked for by itself.
      if (!isForEver(thrown)) throw thrown;
    }
    for (const [nth, entry] of batch.entries()) {
      const answer = answers[nth];
      if (answer === undefined) await this.#record(lane, entry);
      else this.#took(lane, entry, answer);
    }
  }

  async #record(lane: AlertLane, entry: TripEntry): Promise<void> {
    const { store } = this.#parts;
    const { trip, signature, message } = entry;
    let answer: TripAnswer;
    try {
      answer = await this.#bounded('the stop of an alert', store.trip(placeOf(message), trip, signature));
    } catch (thrown) {
      if (!isForEver(thrown)) throw thrown;
      this.#isAway = false;
      this.#refused(lane, entry, 'refused-by-store', thrown.message);
      return;
    }
    this.#took(lane, entry, answer);
  }

  #took(lane: AlertLane, entry: TripEntry, answer: TripAnswer): void {
    const { trip } = entry;
    this.#isAway = false;
    if (answer.kind === 'reused') {
      const why = `alert id '${trip.alertId}' of '${trip.detector}' was used with other content; ids are unique for ever`;
      this.#refused(lane, entry, 'reused-id', why);
      return;
    }
    const isFirst = !entry.isAnswered;
    entry.isAnswered = true;
    entry.cancelTimer();
    this.#enforce(entry, answer);
    lane.answered(answer.position);
    if (isFirst) this.#parts.answered(entry, answer);
  }

  /** The stop comes to nothing: it is let go here at once, since somebody else may put that on record before us. */
  #refused(lane: AlertLane, entry: TripEntry, code: PoisonCode, why: string): void {
    this.#parts.registry.withdraw(entry.trip.flipId);
    this.#parts.poisoned(lane, entry, code, why);
  }

  /** Whether or not this entry is held: an earlier reading of the same alert may have held its stop. */
  #enforce(entry: TripEntry, answer: Exclude<TripAnswer, { readonly kind: 'reused' }>): void {
    const { registry } = this.#parts;
    const { flipId } = entry.trip;
    const { head, ageMs } = answer;
    if (answer.kind === 'stale') {
      registry.withdraw(flipId);
      return;
    }
    const { text, signature, epoch, revision } = answer.record;
    if (answer.isOpen)
      this.#locally(() => registry.arrive({ text, signature, place: { epoch, revision }, authority: 'path' }));
    if (answer.isOpen) registry.relayed(flipId, { kind: 'open', revision, head, ageMs });
    else registry.withdraw(flipId);
  }

  /**
   * One statement, so that a stream of stops that never ends neither waits for positions nor keeps them from moving.
   *
   * @returns whether there is more to do
   */
  async #advance(lane: AlertLane): Promise<boolean> {
    const step = lane.step();
    if (step.kind === 'ahead') {
      this.#parts.ahead(lane);
      return false;
    }
    const before = lane.stored;
    if (step.kind === 'trips') await this.#recordBatch(lane, step.entries);
    else if (step.kind === 'refusals') await this.#refuse(lane, step.entries);
    else if (step.kind === 'jump') await this.#jump(lane, step.from, step.to);
    const next = lane.step().kind;
    const isDone = isIdle(step.kind);
    // What stands still with everything on record would be asked for in a busy loop.
    if (!isDone && lane.stored === before && before !== null && next === step.kind) throw standsStill(lane);
    const isMore = !isIdle(next);
    this.#steps += 1;
    if (lane.stored !== null && (!isMore || this.#steps % TOLD_EVERY === 0)) this.#parts.moved(lane, lane.stored);
    return isMore;
  }

  async #refuse(lane: AlertLane, entries: readonly RefusalEntry[]): Promise<void> {
    const { store } = this.#parts;
    const refusals = entries.map(({ refusal }) => refusal);
    const position = await this.#bounded('refused alerts', store.refuse(refusals));
    this.#isAway = false;
    lane.answered(position);
  }

  async #jump(lane: AlertLane, from: number, to: number): Promise<void> {
    const { topic, partition } = lane;
    const why = `the bus has nothing from ${from} to ${to - 1}`;
    const placed = this.#parts.store.place(topic, partition, from, to, why);
    lane.answered(await this.#bounded('a gap', placed));
  }

  #bounded<T>(what: string, work: Promise<T>): Promise<T> {
    const { clock, callMs } = this.#parts;
    const late = (): Error => new KilldrillError('STORE_LATE', `the store did not record ${what} within ${callMs} ms`);
    return within(clock, callMs, work, late);
  }

  /** What a registry throws at must not keep other stops from the store. */
  #locally(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#parts.onError(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
    }
  }
}

function isIdle(kind: LaneStep['kind']): boolean {
  return kind === 'none' || kind === 'waiting';
}

function isForEver(thrown: unknown): thrown is KilldrillError {
  return thrown instanceof KilldrillError && FOR_EVER.has(thrown.code);
}

function standsStill({ topic, partition, stored }: AlertLane): KilldrillError {
  return new KilldrillError(
    'ALERT_POSITION',
    `the store recorded an alert of ${topic}/${partition}, and its position still is ${String(stored)}; expected it to move by one`,
  );
}
