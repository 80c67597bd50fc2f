import { Rounds } from '../alerts/rounds.ts';
import { KilldrillError, messageOf } from '../errors.ts';
import { parseFlip } from '../flip-text.ts';
import type { SpoolContents } from '../store/spool.ts';
import type { StopOffer } from '../store/stop-port.ts';
import type { FlipRecord } from '../store/store.ts';
import { within } from '../within.ts';
import { AnsweredStops } from './answered-stops.ts';
import { KeptStop } from './kept-stops.ts';
import { TAKER_TIMINGS } from './stop-taker-parts.ts';
import type { StopTakerParts, TakenStop, TakerTimings, WaitingStop } from './stop-taker-parts.ts';
import { reportTo } from '../report-to.ts';

/** Stops that one statement makes durable at most: it is over within a fraction of the attempt's bound. */
const BATCH = 32;

/** Time for the feed's prefix to reach a stop that is durable. */
const HAND_OVER_MS = 1_000;

/** What the store says of a stop that it will never take. */
const FOR_EVER = new Set(['FLIP_UNREADABLE', 'FLIP_NAMESPACE', 'FLIP_ID_REUSED', 'STORE_VALUE', 'NOT_A_STOP']);

/** The store's word that a stop which it refused is not open. */
const CLOSED = { kind: 'closed', revision: 0, head: { epoch: '', revision: 0, hash: '' }, ageMs: 0 } as const;

interface Waiting extends WaitingStop {
  readonly kept: KeptStop;
  /** Settles with what became of it: at once when the store answers, else when it is known to be away. */
  readonly taken: Promise<TakenStop>;
  readonly settle: (taken: TakenStop) => void;
  readonly refuse: (error: Error) => void;
  /** Ends the timers that make it provisional. */
  cancelTimers: () => void;
}

/**
 * Takes stops: enforced in this process at once, acknowledged once durable (DESIGN §3.7).
 *
 * While the store does not answer, a stop is on disk, pushed over every other path, and sent again until the store has it;
 * the answer says so. Several that wait become durable in one statement, in the order in which they came.
 */
export class StopTaker {
  readonly #parts: StopTakerParts;
  readonly #timings: TakerTimings;
  readonly #rounds: Rounds;
  /** By id, in the order in which they came. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #answered = new AnsweredStops();
  #batch = BATCH;
  #away: string | null = null;
  readonly #idle: (() => void)[] = [];
  #closed = false;
  /** What is being removed from the disk, since the store has it. */
  readonly #tidying = new Set<Promise<void>>();
  readonly #tell: (error: unknown) => void;

  constructor(parts: StopTakerParts) {
    this.#parts = parts;
    this.#tell = reportTo(parts.onError);
    this.#timings = { ...TAKER_TIMINGS, ...parts.timings };
    const { clock } = parts;
    const { retryMs } = this.#timings;
    this.#rounds = new Rounds({ clock, retryMs, onError: (error) => this.#tell(error), round: () => this.#round() });
  }

  /** How many stops wait for the store, and why it did not take the last that it was asked for; null if it did. */
  status(): { readonly waiting: number; readonly away: string | null } {
    return { waiting: this.#waiting.size, away: this.#away };
  }

  /**
   * Takes up what an earlier process left on disk: enforced when this resolves, and sent until the store has it.
   *
   * @throws KilldrillError `SPOOL_UNUSABLE`
   */
  async restore(): Promise<SpoolContents> {
    const contents = (await this.#parts.spool?.open()) ?? { stops: [], setAside: [] };
    for (const { text, signature, path } of contents.stops) {
      // Whoever took it was answered by the process that is gone.
      this.#add({ text, signature }, path).taken.catch((thrown: unknown) => this.#tell(thrown));
    }
    return contents;
  }

  /**
   * Enforced in this process when the call returns; resolves once it is durable, or once it is known that it is not yet.
   * The same id and text taken twice has the first answer.
   *
   * @throws KilldrillError `FLIP_UNREADABLE`, `FLIP_NAMESPACE`, `NOT_A_STOP`, `FLIP_ID_REUSED`, `STORE_VALUE`,
   * `TAKER_CLOSED`
   */
  async take(stop: StopOffer): Promise<TakenStop> {
    if (this.#closed) throw new KilldrillError('TAKER_CLOSED', 'this process is ending and takes no more stops');
    const id = this.#idOf(stop);
    const text = this.textOf(id);
    if (text !== null && text !== stop.text) throw reused(id);
    const record = this.#answered.get(id);
    if (record !== undefined) return { kind: 'durable', id, record };
    return (this.#waiting.get(id) ?? this.#add(stop, null)).taken;
  }

  /** The text that was taken under this id, as far as this process remembers it. */
  textOf(id: string): string | null {
    return (this.#waiting.get(id) ?? this.#answered.get(id))?.text ?? null;
  }

  /**
   * Takes nothing more; waits for the store for as long as `withinMs`, then makes sure that the rest is on disk.
   *
   * @returns the stops that are not durable, and where each is kept.
   */
  async close(withinMs: number): Promise<readonly { readonly id: string; readonly keptAt: string | null }[]> {
    this.#closed = true;
    await this.#untilIdle(withinMs);
    await this.#rounds.close();
    const late = (): Error => new KilldrillError('PATH_LATE', 'the spool did not let go of what is durable in time');
    const tidied = Promise.all(this.#tidying);
    await within(this.#parts.clock, this.#timings.pathMs, tidied, late).catch((thrown: unknown) => this.#tell(thrown));
    const left = [...this.#waiting.values()];
    return Promise.all(
      left.map(async (one) => {
        this.#giveUp(one);
        return { id: one.id, keptAt: await one.kept.keep() };
      }),
    );
  }

  #idOf({ text }: StopOffer): string {
    const flip = parseFlip(text);
    if (flip.kind !== 'stop') throw new KilldrillError('NOT_A_STOP', `flip '${flip.id}' is a ${flip.kind}, not a stop`);
    if (flip.namespace === this.#parts.namespace) return flip.id;
    throw new KilldrillError(
      'FLIP_NAMESPACE',
      `the stop is of namespace '${flip.namespace}', but this process answers for '${this.#parts.namespace}'`,
    );
  }

  /** In one tick: enforced here, and in line for the store. */
  #add({ text, signature }: StopOffer, keptAt: string | null): Waiting {
    const { registry, clock, spool, paths } = this.#parts;
    const id = this.#idOf({ text, signature });
    const isOurs = registry.arrive({ text, signature, place: null, offered: 'elsewhere' });
    const onError = (error: Error): void => this.#tell(error);
    const { pathMs } = this.#timings;
    const kept = new KeptStop({ id, text, signature }, { spool, paths, clock, pathMs, onError }, keptAt);
    let settle: Waiting['settle'] = () => undefined;
    let refuse: Waiting['refuse'] = () => undefined;
    const taken = new Promise<TakenStop>((resolve, reject) => {
      [settle, refuse] = [resolve, reject];
    });
    const sinceMs = clock.monotonicMs();
    const one: Waiting = { id, text, signature, isOurs, sinceMs, kept, taken, settle, refuse, cancelTimers: noTimers };
    this.#waiting.set(id, one);
    if (this.#away === null) this.#setTimers(one);
    else this.#giveUp(one);
    this.#rounds.poke();
    return one;
  }

  #setTimers(one: Waiting): void {
    const { clock } = this.#parts;
    const { spoolAfterMs, answerMs } = this.#timings;
    const toDisk = clock.after(spoolAfterMs, () => void one.kept.keep());
    const toCaller = clock.after(answerMs, () => this.#giveUp(one));
    one.cancelTimers = () => [toDisk, toCaller].forEach((cancel) => cancel());
  }

  /** Answers that it is not durable: once it is on disk, and over the other paths. */
  #giveUp(one: Waiting): void {
    one.cancelTimers();
    const why = this.#away ?? `the store did not answer within ${this.#timings.answerMs} ms`;
    void Promise.all([one.kept.keep(), one.kept.push()]).then(([keptAt, reached]) =>
      one.settle({ kind: 'provisional', id: one.id, why, reached, keptAt }),
    );
  }

  async #round(): Promise<void> {
    const batch = [...this.#waiting.values()].slice(0, this.#batch);
    if (batch.length === 0) return;
    try {
      await this.#send(batch);
      this.#away = null;
      this.#batch = Math.min(BATCH, this.#batch * 2);
    } catch (thrown) {
      this.#away = messageOf(thrown);
      // A store that is slow may yet take fewer of them in time.
      this.#batch = Math.max(1, Math.floor(this.#batch / 2));
      for (const one of this.#waiting.values()) this.#giveUp(one);
      this.#offerOldest();
      throw thrown;
    } finally {
      if (this.#waiting.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
    if (this.#waiting.size > 0) this.#rounds.poke();
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const { store } = this.#parts;
    try {
      const records = await store.stops(batch.map(({ text, signature }) => ({ text, signature })));
      for (const [nth, one] of batch.entries()) this.#took(one, records[nth]);
      this.#handOver(batch);
    } catch (thrown) {
      if (!isForEver(thrown)) throw thrown;
      const [only, ...others] = batch;
      if (only !== undefined && others.length === 0) return this.#refused(only, thrown);
      // None was taken for the sake of one, which is found when each is sent by itself.
      for (const one of batch) await this.#send([one]);
    }
  }

  #took(one: Waiting, record: FlipRecord | undefined): void {
    if (record === undefined) throw new KilldrillError('STORE_ERROR', 'the store answered for fewer stops than it got');
    one.cancelTimers();
    this.#waiting.delete(one.id);
    this.#answered.add(one.id, record);
    one.settle({ kind: 'durable', id: one.id, record });
    this.#tidy(one.kept.drop());
  }

  /** Whoever ends in the middle of it would send the same stop once more at its next start. */
  #tidy(work: Promise<void>): void {
    const done = work.catch((thrown: unknown) => this.#tell(thrown)).finally(() => this.#tidying.delete(done));
    this.#tidying.add(done);
  }

  /** What they come to is the feed's matter now: by then its prefix has them, and of one that has not it asks the store. */
  #handOver(batch: readonly Waiting[]): void {
    const { registry, clock } = this.#parts;
    clock.after(HAND_OVER_MS, () => batch.forEach(({ id }) => registry.offer(id)));
  }

  /** A few at a time: each is a question of its own. */
  #offerOldest(): void {
    const { registry, clock } = this.#parts;
    const before = clock.monotonicMs() - this.#timings.relayAfterMs;
    const oldest = [...this.#waiting.values()].slice(0, BATCH).filter(({ sinceMs }) => sinceMs <= before);
    for (const { id } of oldest) registry.offer(id);
  }

  #refused(one: Waiting, error: KilldrillError): void {
    one.cancelTimers();
    this.#waiting.delete(one.id);
    if (one.isOurs) this.#parts.registry.relayed(one.id, CLOSED);
    one.refuse(error);
    this.#tidy(one.kept.setAside());
    this.#tell(error);
  }

  #untilIdle(withinMs: number): Promise<void> {
    if (this.#waiting.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(withinMs, resolve);
      this.#idle.push(() => {
        cancel();
        resolve();
      });
    });
  }
}

function noTimers(): void {}

function isForEver(thrown: unknown): thrown is KilldrillError {
  return thrown instanceof KilldrillError && FOR_EVER.has(thrown.code);
}

function reused(id: string): KilldrillError {
  return new KilldrillError(
    'FLIP_ID_REUSED',
    `stop id '${id}' was used with another text; ids are unique for ever, take a new one`,
  );
}
