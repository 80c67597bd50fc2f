import { KilldrillError } from '../errors.ts';
import { parseFlip } from '../flip-text.ts';
import { SCOPES } from '../switch.ts';
import { within } from '../within.ts';
import type { BusMessage, PartitionReader } from './alert-bus.ts';
import { AlertLane, placeOf } from './alert-lane.ts';
import type { LaneEntry, RefusalEntry, TripEntry } from './alert-lane.ts';
import { AlertRecorder } from './alert-recorder.ts';
import { startOf } from './alert-start.ts';
import { BusAttendance } from './bus-attendance.ts';
import type { Stay } from './bus-attendance.ts';
import { DeadLetters } from './dead-letters.ts';
import { EXECUTOR_TIMINGS } from './executor-parts.ts';
import type { AlertEvent, ExecutorParts, ExecutorTimings } from './executor-parts.ts';
import { judgeAlert } from './judge-alert.ts';
import { reportTo } from '../report-to.ts';

const DEFAULT_MAX_BACKLOG = 2_000;

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
  readonly #attendance: BusAttendance;
  readonly #committed = new WeakMap<AlertLane, number>();
  readonly #stayOf = new WeakMap<AlertLane, Stay>();
  readonly #report: (error: unknown) => void;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    this.#report = reportTo(parts.onError);
    this.#timings = { ...EXECUTOR_TIMINGS, ...parts.timings };
    const { bus, store, registry, clock } = parts;
    const { retryMs, callMs } = this.#timings;
    const onError = (error: unknown): void => this.#report(error);
    this.#letters = new DeadLetters({ bus, clock, retryMs, callMs, onError, kept: () => this.#recorder.poke() });
    this.#recorder = new AlertRecorder({
      ...{ store, registry, clock, retryMs, callMs, onError },
      poisoned: (lane, entry, code, why) => lane.refuse(entry, this.#poison(entry.message, code, why, entry)),
      answered: ({ message, trip }, answer) => this.#tell({ kind: 'answered', message, trip, answer }),
      heldEarly: ({ message, trip }) => this.#tell({ kind: 'held', message, trip }),
      moved: (lane, position) => this.#commit(lane, position),
      ahead: (lane) => this.#readAgain(lane),
    });
    this.#attendance = new BusAttendance({
      ...{ bus, clock, timings: this.#timings, onError },
      assigned: (stay, partition, committed) => this.#assigned(stay, partition, committed),
      left: (stay) => this.#lanesOf(stay).forEach((lane) => lane.revoked()),
      isHeldUp: (stay) => this.#lanesOf(stay).some(({ isFull }) => isFull),
    });
  }

  /** Whether it takes part in reading now, how many alerts are in hand, and of how many of them stops are not durable yet. */
  status(): { readonly isReading: boolean; readonly backlog: number; readonly unanswered: number } {
    const { lanes } = this.#recorder;
    return {
      isReading: this.#attendance.isIn,
      backlog: lanes.reduce((sum, { size }) => sum + size, 0),
      unanswered: lanes.reduce((sum, lane) => sum + lane.unanswered().length, 0),
    };
  }

  start(): void {
    this.#attendance.start();
  }

  /** Leaves the bus and ends what is under way. Stops that are held here without the store's word stay with the registry. */
  async close(): Promise<void> {
    await Promise.all([this.#attendance.close(), this.#letters.close(), this.#recorder.close()]);
    for (const lane of this.#recorder.lanes) this.#drop(lane);
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
      return { kind: 'refusal', refusal, letter: null };
    }
    const { trip } = judgement;
    const signature = this.#sign(trip.text);
    const entry: TripEntry = {
      ...{ kind: 'trip', message, trip, signature, width: SCOPES.indexOf(parseFlip(trip.text).scope) },
      ...{ isAnswered: false, isHeld: false, cancelTimer: () => undefined },
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
    this.#drop(lane);
    if (wasLeft || stay === undefined) return;
    const { topic, partition, stored } = lane;
    const where = stored === null ? 'has no position' : `stands at ${stored}`;
    const found = `the store ${where} in ${topic}/${partition}, before what was read; reading again from there`;
    this.#attendance.rejoin(stay, new KilldrillError('ALERT_POSITION', found));
  }

  /** What it held is relayed by its process's feed until somebody has read it again. */
  #drop(lane: AlertLane): void {
    this.#recorder.handOver(lane);
    lane.drop();
  }

  #lanesOf(stay: Stay): readonly AlertLane[] {
    return this.#recorder.lanes.filter((lane) => this.#stayOf.get(lane) === stay);
  }

  #tell(event: AlertEvent): void {
    try {
      this.#parts.onEvent?.(event);
    } catch {
      // Who watches must not stop the stopping.
    }
  }
}
