import type { Socket } from 'node:net';
import { makePrng } from '../traffic/prng.ts';
import type { Prng } from '../traffic/prng.ts';
import type { ActiveFault, Shape } from './proxy-fault.ts';

/** A lane that holds more than this stops reading, so that its sender is held back by TCP. */
const MOST_BYTES = 1_048_576;
/** The same for many small reads. */
const MOST_PIECES = 4_096;
/** A paced lane writes at most this much of a second at once, and may be late by as much before it is slower than asked. */
const QUANTUM_MS = 20;

interface Stamp {
  readonly atMs: number;
  /** This one's share of a jitter, from 0 to 1. */
  readonly draw: number;
}

/** What waits in a lane, in the order in which it came. */
type Piece = BytesPiece | EndPiece;
interface BytesPiece extends Stamp {
  readonly kind: 'bytes';
  readonly bytes: Buffer;
}
/** The sender has ended, or has broken: this goes behind its bytes. */
interface EndPiece extends Stamp {
  readonly kind: 'end' | 'break';
}

export interface LaneOptions {
  /** What is on for this way, now. */
  readonly shape: () => Shape;
  /** A fault has acted on these bytes. */
  readonly acted: (by: ActiveFault, bytes: number) => void;
  /** A fault breaks the connection at these bytes. */
  readonly broke: (by: ActiveFault, bytes: number) => void;
  /** Names the lane among those of a seed: the same draws for the same connection, way and read. */
  readonly name: string;
}

/**
 * One way of one connection: bytes go through in their order, when the faults let them. It holds about a mebibyte at most
 * (so a delay bounds the rate too: a mebibyte a delay), has one timer at most, and none when nothing waits for a time.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #queue: Piece[] = [];
  #queuedBytes = 0;
  #from: Socket | null = null;
  #to: Socket | null = null;
  #state: 'open' | 'discarding' | 'closed' = 'open';
  #blocked = false;
  #freeAtMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #draws: { readonly by: ActiveFault; readonly prng: Prng } | null = null;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Reads from this socket from now on. */
  readFrom(socket: Socket): void {
    this.#from = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.once('end', () => this.#push({ kind: 'end', ...this.#stamp() }));
    socket.once('close', (broken) => {
      if (broken) this.#push({ kind: 'break', ...this.#stamp() });
    });
  }

  /** Writes to this socket from now on. */
  writeTo(socket: Socket): void {
    this.#to = socket;
    socket.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
    socket.once('close', () => this.#discard());
    this.#pump();
  }

  /** The faults have changed: what waits may go now, or sooner. */
  reshaped(): void {
    if (this.#options.shape().bytesPerSecond === null) this.#freeAtMs = 0;
    this.#pump();
  }

  /** Lets go of what it holds. The sockets are the link's to close. */
  close(): void {
    this.#state = 'closed';
    this.#forget();
  }

  /** Nobody can be written to any more; the sender is still read, so that its end is noticed. */
  #discard(): void {
    if (this.#state !== 'open') return;
    this.#state = 'discarding';
    this.#forget();
    this.#from?.resume();
  }

  #forget(): void {
    this.#cancelTimer();
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  #take(bytes: Buffer): void {
    if (this.#state !== 'open') return;
    const shape = this.#options.shape();
    if (shape.reset !== null) return this.#options.broke(shape.reset, bytes.length);
    for (const by of shape.slowing) this.#options.acted(by, bytes.length);
    this.#push({ kind: 'bytes', bytes, ...this.#stamp(shape) });
  }

  #push(piece: Piece): void {
    if (this.#state !== 'open') return;
    this.#queue.push(piece);
    if (piece.kind === 'bytes') this.#queuedBytes += piece.bytes.length;
    this.#pump();
  }

  #stamp(shape = this.#options.shape()): Stamp {
    return { atMs: performance.now(), draw: shape.jitter === null ? 0 : this.#draw(shape.jitter) };
  }

  #draw({ by, seed }: NonNullable<Shape['jitter']>): number {
    if (this.#draws?.by !== by) this.#draws = { by, prng: makePrng(seed).split(this.#options.name) };
    return this.#draws.prng.uniform();
  }

  /** Sends what may go, and sees to it that the rest is looked at again: by the timer, the drain, or a change of faults. */
  #pump(): void {
    this.#cancelTimer();
    const shape = this.#options.shape();
    for (let piece = this.#queue[0]; piece !== undefined; piece = this.#queue[0]) {
      if (this.#to === null || this.#blocked || shape.hold !== null) break;
      const dueMs = piece.atMs + shape.delayMs + (shape.jitter?.upToMs ?? 0) * piece.draw;
      const freeMs = shape.bytesPerSecond === null ? 0 : this.#freeAtMs;
      const waitMs = Math.max(dueMs, freeMs) - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), Math.ceil(waitMs));
        break;
      }
      this.#send(piece, this.#to, shape);
    }
    this.#holdBack();
  }

  #send(piece: Piece, to: Socket, { bytesPerSecond }: Shape): void {
    this.#queue.shift();
    if (piece.kind !== 'bytes') {
      if (piece.kind === 'end') to.end();
      else to.destroySoon();
      return;
    }
    const { bytes } = piece;
    const most =
      bytesPerSecond === null ? bytes.length : Math.max(1, Math.floor((bytesPerSecond * QUANTUM_MS) / 1_000));
    const now = bytes.subarray(0, most);
    if (most < bytes.length) this.#queue.unshift({ ...piece, bytes: bytes.subarray(most) });
    this.#queuedBytes -= now.length;
    if (bytesPerSecond !== null) {
      const fromMs = Math.max(this.#freeAtMs, performance.now() - QUANTUM_MS);
      this.#freeAtMs = fromMs + (now.length / bytesPerSecond) * 1_000;
    }
    if (!to.write(now)) this.#blocked = true;
  }

  /** Back-pressure: the sender is read again once half of what it filled has gone. */
  #holdBack(): void {
    const from = this.#from;
    if (from === null || this.#state !== 'open') return;
    if (this.#queuedBytes >= MOST_BYTES || this.#queue.length >= MOST_PIECES) from.pause();
    else if (from.isPaused() && this.#queuedBytes <= MOST_BYTES / 2 && this.#queue.length <= MOST_PIECES / 2) {
      from.resume();
    }
  }

  #cancelTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
