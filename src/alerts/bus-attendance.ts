import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import { within } from '../within.ts';
import type { AlertBus, BusMember, BusSession, PartitionReader } from './alert-bus.ts';
import type { ExecutorTimings } from './executor-parts.ts';
import { Rounds } from './rounds.ts';

/** One stay in the bus's group. What it had is worked off after it has ended; what comes late is nobody's. */
export interface Stay {
  session: BusSession | null;
  ended: boolean;
  aliveMs: number;
}

interface AttendanceParts {
  readonly bus: AlertBus;
  readonly clock: Clock;
  readonly timings: ExecutorTimings;
  readonly assigned: (stay: Stay, partition: number, committed: number | null) => Promise<PartitionReader>;
  /** The stay has ended, and its partitions may be somebody else's; told before its session is closed. */
  readonly left: (stay: Stay) => void;
  /** Whether the bus waits for us, so that its silence says nothing about it. */
  readonly isHeldUp: (stay: Stay) => boolean;
  readonly onError: (error: unknown) => void;
}

/** Takes part in reading a bus, one stay after another: joins until it is in, and joins anew when a stay is lost or silent. */
export class BusAttendance {
  readonly #parts: AttendanceParts;
  readonly #joining: Rounds;
  #stay: Stay | null = null;
  #closed = false;
  #cancelWatch: () => void = () => undefined;

  constructor(parts: AttendanceParts) {
    this.#parts = parts;
    const { clock, timings, onError } = parts;
    this.#joining = new Rounds({ clock, retryMs: timings.retryMs, onError, round: () => this.#join() });
  }

  /** Whether it is in a session now. */
  get isIn(): boolean {
    return this.#stay !== null && this.#stay.session !== null;
  }

  start(): void {
    this.#joining.poke();
    this.#watch();
  }

  /** Leaves the bus. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelWatch();
    const stay = this.#stay;
    this.#stay = null;
    await Promise.all([this.#joining.close(), stay === null ? undefined : this.#leave(stay)]);
  }

  /** Ends a stay and begins another; nothing if it has ended already. */
  rejoin(stay: Stay, error: Error): void {
    if (stay.ended) return;
    const { clock, timings, onError } = this.#parts;
    onError(error);
    if (this.#stay === stay) this.#stay = null;
    void this.#leave(stay);
    // Not at once: a session that is lost again and again would make this a busy loop.
    if (!this.#closed) clock.after(timings.retryMs, () => this.#joining.poke());
  }

  async #join(): Promise<void> {
    if (this.#stay !== null || this.#closed) return;
    const { bus, clock, timings } = this.#parts;
    const { joinMs } = timings;
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
      assigned: (partition, committed) => this.#parts.assigned(stay, partition, committed),
      alive: () => {
        stay.aliveMs = this.#parts.clock.monotonicMs();
      },
      lost: (error) => this.rejoin(stay, error),
    };
  }

  async #leave(stay: Stay): Promise<void> {
    const { clock, timings, left, onError } = this.#parts;
    stay.ended = true;
    left(stay);
    const { session } = stay;
    stay.session = null;
    if (session === null) return;
    const { callMs } = timings;
    const late = (): Error => new KilldrillError('BUS_LATE', `leaving the bus took more than ${callMs} ms`);
    await within(clock, callMs, session.close(), late).catch((error: unknown) => onError(error));
  }

  /** A consumer can stop without an error: what does not show life is ended and begun anew. */
  #watch(): void {
    const { clock, timings } = this.#parts;
    this.#cancelWatch = clock.after(timings.silentMs / 4, () => {
      this.#look();
      this.#watch();
    });
  }

  #look(): void {
    const { bus, clock, timings, isHeldUp } = this.#parts;
    const stay = this.#stay;
    if (stay === null || stay.session === null) return;
    const nowMs = clock.monotonicMs();
    if (isHeldUp(stay)) stay.aliveMs = nowMs;
    const silence = nowMs - stay.aliveMs;
    if (silence <= timings.silentMs) return;
    const found = `${bus.topic} showed no life for ${Math.round(silence)} ms`;
    this.rejoin(stay, new KilldrillError('BUS_SILENT', found));
  }
}
