import type { Clock } from '../clock.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import type { Registry } from '../registry.ts';
import { within } from '../within.ts';
import type { AlertBus, BusMember, BusMessage, BusSession, PartitionReader } from './alert-bus.ts';
import { AlertLane, placeOf } from './alert-lane.ts';
import type { LaneEntry, RefusalEntry, TripEntry } from './alert-lane.ts';
import { AlertRecorder } from './alert-recorder.ts';
import { startOf } from './alert-start.ts';
import type { AlertStore, AlertTrip, TripAnswer } from './alert-store.ts';
import { DeadLetters } from './dead-letters.ts';
import { judgeAlert } from './judge-alert.ts';
import type { AlertPolicy, Judgement } from './judge-alert.ts';
import { Rounds } from './rounds.ts';

/** Bounds and pauses, milliseconds. */
export interface ExecutorTimings {
  /** A stop that may be stale is given to the store first; it is enforced here once this has passed without an answer. */
  readonly tripWithinMs: number;
  /** Pause after the store, or the bus, did not answer. */
  readonly retryMs: number;
  /** Longest wait for one answer of the store, or of the bus. */
  readonly callMs: number;
  /** Longest wait for joining; Kafka takes seconds for a group's first member. */
  readonly joinMs: number;
  /** A session without a sign of life for so long is ended, and joined anew. */
  readonly silentMs: number;
}

export const EXECUTOR_TIMINGS: ExecutorTimings = {
  tripWithinMs: 50,
  retryMs: 100,
  callMs: 5_000,
  joinMs: 10_000,
  silentMs: 3_000,
};

/** What happens to alerts, for milestones and metrics. */
export type AlertEvent =
  | { readonly kind: 'read'; readonly message: BusMessage; readonly judgement: Judgement }
  /** Enforced in this process, before the store had answered. */
  | { readonly kind: 'held'; readonly message: BusMessage; readonly trip: AlertTrip }
  | { readonly kind: 'answered'; readonly message: BusMessage; readonly trip: AlertTrip; readonly answer: TripAnswer }
  | { readonly kind: 'poison'; readonly message: BusMessage; readonly code: string; readonly why: string };

export interface ExecutorParts {
  readonly bus: AlertBus;
  readonly store: AlertStore;
  /** Of the process in which it runs; a feed keeps it fresh. */
  readonly registry: Pick<Registry, 'arrive' | 'relayed' | 'head'>;
  readonly policy: AlertPolicy;
  readonly clock: Clock;
  /** Signs a flip's text as this stop-taker; null, the default, for unsigned flips. */
  readonly sign?: ((text: string) => string) | null;
  readonly timings?: Partial<ExecutorTimings>;
  /** Alerts of one partition in hand, beyond which the bus has to wait. Default 2,000. */
  readonly maxBacklog?: number;
  readonly onEvent?: (event: AlertEvent) => void;
  readonly onError?: (error: Error) => void;
}

const DEFAULT_MAX_BACKLOG = 2_000;

/** One stay in the bus's group. What it had is worked off after it has ended; what comes late is nobody's. */
interface Stay {
  session: BusSession | null;
  ended: boolean;
  aliveMs: number;
}

/**
 * Reads alerts and trips switches: in an agent's process or in a service, one or several at once.
 *
 * Each alert is judged as it is read. Its stop goes to the store in the statement that records the alert; the bus is told
 * afterwards. A stop that no release can have overtaken is enforced here at once, any other once the store fails to
 * answer. A crash anywhere loses nothing: what the store has not recorded is read again.
 */
export class AlertExecutor {
  readonly #parts: ExecutorParts;
  readonly #timings: ExecutorTimings;
  readonly #recorder: AlertRecorder;
  readonly #letters: DeadLetters;
  readonly #joining: Rounds;
  readonly #committed = new WeakMap<AlertLane, number>();
  readonly #stayOf = new WeakMap<AlertLane, Stay>();
  #stay: Stay | null = null;
  #closed = false;
  #cancelWatch: () => void = () => undefined;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    this.#timings = { ...EXECUTOR_TIMINGS, ...parts.timings };
    const { bus, store, registry, clock } = parts;
    const { retryMs, callMs } = this.#timings;
    const onError = (error: Error): void => this.#report(error);
    this.#letters = new DeadLetters({ bus, clock, retryMs, callMs, onError, kept: () => this.#recorder.poke() });
    this.#recorder = new AlertRecorder({
      ...{ store, registry, clock, retryMs, callMs, onError },
      poisoned: (lane, entry, code, why) => lane.refuse(entry, this.#poison(entry.message, code, why, entry)),
      answered: ({ message, trip }, answer) => this.#tell({ kind: 'answered', message, trip, answer }),
      heldEarly: ({ message, trip }) => this.#tell({ kind: 'held', message, trip }),
      moved: (lane, position) => this.#commit(lane, position),
      ahead: (lane) => this.#readAgain(lane),
    });
    this.#joining = new Rounds({ clock, retryMs, onError, round: () => this.#join() });
  }

  /** Whether it takes part in reading now, how many alerts are in hand, and of how many of them stops are not durable yet. */
  status(): { readonly isReading: boolean; readonly backlog: number; readonly unanswered: number } {
    const { lanes } = this.#recorder;
    return {
      isReading: this.#stay?.session !== undefined && this.#stay.session !== null,
      backlog: lanes.reduce((sum, { size }) => sum + size, 0),
      unanswered: lanes.reduce((sum, lane) => sum + lane.unanswered().length, 0),
    };
  }

  start(): void {
    this.#joining.poke();
    this.#watch();
  }

  /** Leaves the bus and ends what is under way. Stops that are held here without the store's word stay with the registry. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelWatch();
    const stay = this.#stay;
    this.#stay = null;
    const left = stay === null ? Promise.resolve() : this.#leave(stay);
    await Promise.all([this.#joining.close(), this.#letters.close(), this.#recorder.close(), left]);
    for (const lane of this.#recorder.lanes) lane.drop();
  }

  async #join(): Promise<void> {
    if (this.#stay !== null || this.#closed) return;
    const { bus, clock } = this.#parts;
    const { joinMs } = this.#timings;
    const stay: Stay = { session: null, ended: false, aliveMs: clock.monotonicMs() };
    this.#stay = stay;
    const joined = bus.join(this.#memberOf(stay)).then(async (session) => {
      stay.session = session;
      stay.aliveMs = clock.monotonicMs();
      // It was given up meanwhile: nobody else would end it.
      if (stay.ended) await this.#leave(stay);
    });
    const late = (): Error => new KilldrillError('BUS_LATE', `joining ${bus.topic} took more than ${joinMs} ms`);
    try {
      await within(clock, joinMs, joined, late);
    } catch (thrown) {
      if (this.#stay === stay) this.#stay = null;
      await this.#leave(stay);
      throw thrown;
    }
  }

  #memberOf(stay: Stay): BusMember {
    return {
      assigned: (partition, committed) => this.#assigned(stay, partition, committed),
      alive: () => {
        stay.aliveMs = this.#parts.clock.monotonicMs();
      },
      lost: (error) => this.#rejoin(stay, error),
    };
  }

  async #assigned(stay: Stay, partition: number, committed: number | null): Promise<PartitionReader> {
    const { bus, store, maxBacklog = DEFAULT_MAX_BACKLOG } = this.#parts;
    const start = await startOf(bus, store, partition, committed, (error) => this.#report(error));
    const lane: AlertLane = new AlertLane({
      ...{ topic: bus.topic, partition, start: start.position, isStoresWord: start.isStoresWord, maxBacklog },
      take: (message) => this.#take(message),
      changed: () => this.#recorder.poke(),
    });
    if (stay.ended) lane.drop();
    else this.#recorder.add(lane);
    this.#stayOf.set(lane, stay);
    return lane;
  }

  /** Judges an alert, and enforces it here at once where no release can have overtaken it. */
  #take(message: BusMessage): LaneEntry {
    const { policy, clock, registry } = this.#parts;
    const judgement = judgeAlert(message, policy, clock.wallMs());
    this.#tell({ kind: 'read', message, judgement });
    if (judgement.kind === 'poison') return this.#poison(message, judgement.code, judgement.why, null);
    if (judgement.kind === 'expired') {
      const refusal = {
        place: placeOf(message),
        kind: 'expired',
        code: 'expired',
        why: judgement.why,
        flipId: null,
      } as const;
      return { kind: 'refusal', refusal, letter: null, isHeld: false };
    }
    const { trip } = judgement;
    const signature = this.#sign(trip.text);
    const entry: TripEntry = {
      ...{ kind: 'trip', message, trip, signature, isAnswered: false, isHeld: false, cancelTimer: () => undefined },
    };
    // Its detector has seen all flips that this process has. Of any other the store may say that it is stale, and a run
    // that was refused for its sake meanwhile would stay stopped.
    const isNew =
      trip.ground.kind === 'revision' && registry.head !== null && trip.ground.revision >= registry.head.revision;
    if (isNew || this.#recorder.isAway) this.#recorder.hold(entry);
    else entry.cancelTimer = clock.after(this.#timings.tripWithinMs, () => this.#recorder.hold(entry));
    return entry;
  }

  /** A stop without a signature is better than none. */
  #sign(text: string): string | null {
    try {
      return this.#parts.sign?.(text) ?? null;
    } catch (thrown) {
      this.#report(thrown);
      return null;
    }
  }

  #poison(message: BusMessage, code: string, why: string, was: TripEntry | null): RefusalEntry {
    this.#tell({ kind: 'poison', message, code, why });
    const refusal = { place: placeOf(message), kind: 'poison', code, why, flipId: was?.trip.flipId ?? null } as const;
    const entry: RefusalEntry = {
      kind: 'refusal',
      refusal,
      letter: { message, code, why },
      isHeld: was?.isHeld ?? false,
    };
    this.#letters.send(entry);
    return entry;
  }

  /** Tells the bus, after the store. That may fail: it is a hint, and the next one brings it up to date. */
  #commit(lane: AlertLane, position: number): void {
    const session = this.#stayOf.get(lane)?.session ?? null;
    if (session === null || lane.isLeft || this.#committed.get(lane) === position) return;
    this.#committed.set(lane, position);
    const { clock } = this.#parts;
    const { callMs } = this.#timings;
    const late = (): Error => new KilldrillError('BUS_LATE', `the bus took no position within ${callMs} ms`);
    within(clock, callMs, session.commit(lane.partition, position), late).catch((error: unknown) => {
      this.#committed.delete(lane);
      this.#report(error);
    });
  }

  #readAgain(lane: AlertLane): void {
    const stay = this.#stayOf.get(lane);
    const wasLeft = lane.isLeft;
    lane.drop();
    if (wasLeft || stay === undefined) return;
    const { topic, partition, stored } = lane;
    const where = stored === null ? 'has no position' : `stands at ${stored}`;
    const found = `the store ${where} in ${topic}/${partition}, before what was read; reading again from there`;
    this.#rejoin(stay, new KilldrillError('ALERT_POSITION', found));
  }

  #rejoin(stay: Stay, error: Error): void {
    if (stay.ended) return;
    this.#report(error);
    if (this.#stay === stay) this.#stay = null;
    void this.#leave(stay);
    // Not at once: a session that is lost again and again would make this a busy loop.
    if (!this.#closed) this.#parts.clock.after(this.#timings.retryMs, () => this.#joining.poke());
  }

  async #leave(stay: Stay): Promise<void> {
    stay.ended = true;
    for (const lane of this.#recorder.lanes) if (this.#stayOf.get(lane) === stay) lane.revoked();
    const { session } = stay;
    stay.session = null;
    if (session === null) return;
    const { callMs } = this.#timings;
    const late = (): Error => new KilldrillError('BUS_LATE', `leaving the bus took more than ${callMs} ms`);
    await within(this.#parts.clock, callMs, session.close(), late).catch((error: unknown) => this.#report(error));
  }

  /** A consumer can stop without an error: what does not show life is ended and begun anew. */
  #watch(): void {
    const { clock, bus } = this.#parts;
    const { silentMs } = this.#timings;
    this.#cancelWatch = clock.after(silentMs / 4, () => {
      const stay = this.#stay;
      const silence = stay === null ? 0 : clock.monotonicMs() - stay.aliveMs;
      if (stay !== null && stay.session !== null && silence > silentMs) {
        this.#rejoin(
          stay,
          new KilldrillError('BUS_SILENT', `${bus.topic} showed no life for ${Math.round(silence)} ms`),
        );
      }
      this.#watch();
    });
  }

  #tell(event: AlertEvent): void {
    try {
      this.#parts.onEvent?.(event);
    } catch {
      // Who watches must not stop the stopping.
    }
  }

  #report(error: unknown): void {
    try {
      this.#parts.onError?.(error instanceof Error ? error : new Error(messageOf(error)));
    } catch {
      // A log that fails must hurt nothing here.
    }
  }
}
