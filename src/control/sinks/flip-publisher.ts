import { Rounds } from '../../alerts/rounds.ts';
import type { Clock } from '../../clock.ts';
import { KilldrillError } from '../../errors.ts';
import { reportTo } from '../../report-to.ts';
import type { FlipRecord, FlipSource, Head, Subscription } from '../../store/store.ts';
import { within } from '../../within.ts';
import type { FlipSink, SinkPosition } from './flip-sink.ts';

interface PublisherParts {
  /** A connection of its own: what sinks are told must not keep a registry waiting. */
  readonly source: FlipSource;
  readonly sinks: readonly { readonly sink: FlipSink; readonly position: SinkPosition }[];
  readonly clock: Clock;
  readonly onError: (error: Error) => void;
  readonly timings?: Partial<PublisherTimings>;
}

/** How far a sink is. */
export interface SinkStatus {
  readonly name: string;
  /** The revision that it has taken last; null while nobody knows. */
  readonly told: number | null;
  /** Flips that it has not taken, as of the last answer of the store. */
  readonly behind: number | null;
  /** Why it, or the store, did not do what was asked last; null if it did. */
  readonly error: string | null;
}

interface Lane {
  readonly sink: FlipSink;
  readonly position: SinkPosition;
  readonly rounds: Rounds;
  told: number | null;
  head: number | null;
  error: string | null;
}

/** Milliseconds. */
interface PublisherTimings {
  /** How often the store is asked when no notification comes. Default 1,000. */
  readonly pollMs: number;
  /** Pause after a failure. Default 500. */
  readonly retryMs: number;
  /** Longest time that a sink, or the store, may take for one call. Default 5,000. */
  readonly callMs: number;
}

const TIMINGS: PublisherTimings = { pollMs: 1_000, retryMs: 500, callMs: 5_000 };
/** Flips that a sink is given at once. */
const BATCH = 200;

/**
 * Tells sinks of every flip and release: each at least once, in order, at its own pace. A sink that is slow, or away, holds
 * up no other and no stop; it goes on from its position, which is kept after it has taken a batch and not before. Nothing is
 * held in memory for it: what it has missed is read from the record again.
 */
export class FlipPublisher {
  readonly #parts: PublisherParts;
  readonly #timings: PublisherTimings;
  readonly #lanes: readonly Lane[];
  #subscription: Subscription | null = null;
  #cancelPoll: () => void = () => undefined;
  #isClosed = false;
  readonly #report: (error: unknown) => void;

  constructor(parts: PublisherParts) {
    const { clock } = parts;
    const onError = reportTo(parts.onError);
    this.#parts = parts;
    this.#report = onError;
    this.#timings = { ...TIMINGS, ...parts.timings };
    const { retryMs } = this.#timings;
    this.#lanes = parts.sinks.map(({ sink, position }) => {
      const lane: Lane = {
        ...{ sink, position, told: null, head: null, error: null },
        rounds: new Rounds({
          ...{ clock, retryMs, round: () => this.#round(lane) },
          onError: (error) => {
            lane.error = error.message;
            onError(error);
          },
        }),
      };
      return lane;
    });
  }

  /** How far each sink is, in the order in which they were given. */
  status(): readonly SinkStatus[] {
    return this.#lanes.map(({ sink: { name }, told, head, error }) => {
      const behind = told === null || head === null ? null : Math.max(0, head - told);
      return { name, told, behind, error };
    });
  }

  /** Tells them what they have missed, and from then on what comes. */
  start(): void {
    this.#poke();
    void this.#listen();
  }

  /** Waits for the batches that are under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelPoll();
    const lanes = this.#lanes.map(({ rounds }) => rounds.close());
    await Promise.all([...lanes, this.#subscription?.close().catch(() => undefined)]);
  }

  #poke(): void {
    for (const { rounds } of this.#lanes) rounds.poke();
  }

  /** A notification is a help only; each poll also sees to it that there are some. */
  async #listen(): Promise<void> {
    if (this.#isClosed) return;
    const { source, clock } = this.#parts;
    this.#cancelPoll = clock.after(this.#timings.pollMs, () => {
      this.#poke();
      void this.#listen();
    });
    if (this.#subscription !== null) return;
    try {
      const lost = (): void => void (this.#subscription = null);
      const subscription = await source.listen(() => this.#poke(), lost);
      if (this.#isClosed) await subscription.close();
      else this.#subscription = subscription;
    } catch (error) {
      this.#report(error);
    }
  }

  async #round(lane: Lane): Promise<void> {
    const { sink, position, rounds } = lane;
    const from = (await position.read()) ?? (await this.#beginning());
    const answer = await this.#bounded('the store', this.#parts.source.flipsAfter(from));
    if (answer.kind === 'diverged') {
      // What it was told is not this store's history any more: it hears all of that, under its own epoch.
      await position.write(await this.#beginning());
      this.#report(diverged(sink, from));
      return rounds.poke();
    }
    [lane.told, lane.head] = [from.revision, answer.head.revision];
    for (let at = 0; at < answer.flips.length && !this.#isClosed; at += BATCH) {
      const flips = answer.flips.slice(at, at + BATCH);
      const last = flips.at(-1);
      if (last === undefined) break;
      await this.#tell(sink, flips);
      await position.write({ epoch: last.epoch, revision: last.revision, hash: last.hash });
      lane.told = last.revision;
    }
    lane.error = null;
    if (answer.head.revision > lane.told) rounds.poke();
  }

  async #beginning(): Promise<Head> {
    const { head } = await this.#bounded('the store', this.#parts.source.load());
    return { epoch: head.epoch, revision: 0, hash: '' };
  }

  async #tell(sink: FlipSink, flips: readonly FlipRecord[]): Promise<void> {
    const controller = new AbortController();
    try {
      await this.#bounded(`the sink ${sink.name}`, sink.take(flips, controller.signal));
    } catch (error) {
      controller.abort(error);
      throw error;
    }
  }

  #bounded<T>(who: string, work: Promise<T>): Promise<T> {
    const { callMs } = this.#timings;
    const late = (): Error => new KilldrillError('SINK_LATE', `${who} did not answer within ${callMs} ms`);
    return within(this.#parts.clock, callMs, work, late);
  }
}

function diverged({ name }: FlipSink, { epoch, revision }: Head): KilldrillError {
  const message = `the sink ${name} was told up to revision ${revision} of epoch ${epoch}, which is no part of this store's history; it is told everything anew`;
  return new KilldrillError('SINK_DIVERGED', message);
}
