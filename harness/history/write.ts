import { closeSync, createWriteStream, fstatSync, openSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import type { Gzip } from 'node:zlib';
import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import type { DrillClock } from './clock.ts';
import { HISTORY_VERSION } from './event.ts';
import type { EventBody, HistoryEvent, Stamp } from './event.ts';

/** When something happened: nanoseconds since the drill's origin, from below and above. `clock` is `mono` by default. */
export interface Interval {
  readonly t0: number;
  readonly t1: number;
  readonly clock?: Stamp['clock'];
}

/** What those who only record need of a history. */
export interface HistorySink {
  /** Numbers and records one event; it happened now unless `at` says otherwise. Never throws. */
  append(body: EventBody, at?: Interval): HistoryEvent;
}

/** The history while it is made: in memory for the checkers at the end, on disk for whoever comes later. */
export interface HistoryWriter extends HistorySink {
  /** Everything appended so far, in order of `seq`, whether or not it could be written. */
  readonly events: readonly HistoryEvent[];
  /** The first thing that went wrong with writing; a history with one must not be judged as if it were whole. */
  readonly failure: KilldrillError | null;
  /**
   * Writes what is left and ends the file, within 10 s. Safe to call twice.
   *
   * @throws KilldrillError the `failure`, if there was one.
   */
  close(): Promise<void>;
}

export interface HistoryOptions {
  /** gzip JSONL; must not hold anything yet. */
  readonly file: string;
  readonly clock: DrillClock;
  /** Events are on disk at most this much later, milliseconds; 1,000 by default. */
  readonly flushMs?: number;
  /** More events than this are a failure (they are not kept); 2,000,000 by default. */
  readonly maxEvents?: number;
  /** The machine's clock by default. */
  readonly timers?: Pick<Clock, 'after'>;
}

const CLOSE_MS = 10_000;
const CHUNK_CHARS = 256 * 1024;

/**
 * Starts a history.
 *
 * @throws KilldrillError `HISTORY_NOT_OPENED` when the file cannot be made or already holds something.
 */
export function openHistory(options: HistoryOptions): HistoryWriter {
  return new GzipHistory(openEmpty(options.file), options);
}

function openEmpty(file: string): number {
  let fd: number;
  try {
    fd = openSync(file, 'a', 0o644);
  } catch (cause) {
    throw new KilldrillError('HISTORY_NOT_OPENED', `the history ${file} cannot be made: ${messageOf(cause)}`, {
      cause,
    });
  }
  const { size } = fstatSync(fd);
  if (size === 0) return fd;
  closeSync(fd);
  throw new KilldrillError(
    'HISTORY_NOT_OPENED',
    `the history ${file} already holds ${size} bytes; a history is written once, into a folder of its own`,
  );
}

class GzipHistory implements HistoryWriter {
  readonly #options: HistoryOptions;
  readonly #events: HistoryEvent[] = [];
  readonly #gzip: Gzip;
  /** Resolves when the file is closed, well or not; never rejects. */
  readonly #ended: Promise<void>;
  #failure: KilldrillError | null = null;
  /** Lines that are not yet with the compressor: one write of many lines costs it far less than many writes. */
  #lines: string[] = [];
  #chars = 0;
  #cancelFlush: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(fd: number, options: HistoryOptions) {
    this.#options = options;
    this.#gzip = createGzip();
    const file = createWriteStream(options.file, { fd });
    this.#ended = new Promise((resolve) => {
      pipeline(this.#gzip, file, (error) => {
        if (error) this.#fail('HISTORY_NOT_WRITTEN', messageOf(error), error);
        resolve();
      });
    });
  }

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  get failure(): KilldrillError | null {
    return this.#failure;
  }

  append(body: EventBody, at: Interval = this.#now()): HistoryEvent {
    const { type, ...rest } = body;
    const stamp = { v: HISTORY_VERSION, seq: this.#events.length + 1 };
    const when = { clock: at.clock ?? 'mono', t0: at.t0, t1: at.t1 };
    // Taking `type` out and putting it back makes a readable line; the compiler cannot follow it through the union.
    const event = { ...stamp, type, ...when, ...rest } as HistoryEvent;
    if (!(at.t0 <= at.t1)) this.#fail('HISTORY_BAD_STAMP', `event ${event.seq} (${type}) ends before it begins`);
    if (this.#closing !== null) this.#fail('HISTORY_CLOSED', `a ${type} event came after the history was closed`);
    else if (event.seq > (this.#options.maxEvents ?? 2_000_000))
      this.#fail('HISTORY_FULL', `it holds ${event.seq - 1} events`);
    else this.#keep(event);
    return event;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #now(): Interval {
    const now = this.#options.clock.nowNs();
    return { t0: now, t1: now };
  }

  #keep(event: HistoryEvent): void {
    this.#events.push(event);
    const line = `${JSON.stringify(event)}\n`;
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#chars >= CHUNK_CHARS) this.#compress();
    this.#cancelFlush ??= this.#after(this.#options.flushMs ?? 1000, () => {
      this.#cancelFlush = null;
      this.#compress();
      if (this.#failure === null) this.#gzip.flush(constants.Z_SYNC_FLUSH);
    });
  }

  #compress(): void {
    // After a failure the events stay in memory only.
    if (this.#lines.length > 0 && !this.#gzip.destroyed) this.#gzip.write(this.#lines.join(''));
    this.#lines = [];
    this.#chars = 0;
  }

  async #close(): Promise<void> {
    this.#cancelFlush?.();
    this.#compress();
    this.#gzip.end();
    let cancel = (): void => {};
    const tooLate = new Promise<void>((resolve) => {
      cancel = this.#after(CLOSE_MS, () => {
        this.#fail('HISTORY_NOT_WRITTEN', `the disk did not take the rest within ${CLOSE_MS} ms`);
        this.#gzip.destroy();
        resolve();
      });
    });
    await Promise.race([this.#ended, tooLate]);
    cancel();
    if (this.#failure !== null) throw this.#failure;
  }

  #after(delayMs: number, callback: () => void): () => void {
    return (this.#options.timers ?? systemClock).after(delayMs, callback);
  }

  #fail(code: string, what: string, cause?: unknown): void {
    this.#failure ??= new KilldrillError(code, `the history ${this.#options.file} is not whole: ${what}`, { cause });
  }
}
