import { KilldrillError } from '../../src/errors.ts';

/** Which way bytes go: from who dialled the proxy to its target, or back. */
export type Way = 'to-server' | 'to-client';
export const DIRECTIONS = ['both', 'to-server', 'to-client'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/**
 * What a proxy can do to the connections through it, those that are there and those that come. `latency`, `jitter` and
 * `bandwidth` act on each connection by itself, and each way by itself.
 */
export type ProxyFault =
  /** Every connection is reset at once, and each that comes is. */
  | { readonly kind: 'cut' }
  /** A connection is reset as soon as it carries bytes this way. */
  | { readonly kind: 'reset'; readonly direction: Direction }
  /** Connections are accepted and stay open, and nothing gets through this way, not even an end: it waits for the undo. */
  | { readonly kind: 'half-open'; readonly direction: Direction }
  /** Every byte comes this much later. */
  | { readonly kind: 'latency'; readonly direction: Direction; readonly delayMs: number }
  /** Every read of bytes comes later by its own draw from [0, `upToMs`), in the order in which it came. */
  | { readonly kind: 'jitter'; readonly direction: Direction; readonly upToMs: number; readonly seed: number | string }
  | { readonly kind: 'bandwidth'; readonly direction: Direction; readonly bytesPerSecond: number };

/** What a fault has done since it was applied. */
export interface FaultReceipt {
  /** Connections that it acted on, each counted once: reset, held, delayed or paced. */
  readonly connections: number;
  /** Connections that were tried while it lasted and were reset at once. */
  readonly refused: number;
  /** Bytes that it held, delayed, paced, or broke a connection at. */
  readonly bytes: number;
}

const MAX_DELAY_MS = 60_000;
const MAX_BYTES_PER_SECOND = 1_000_000_000;

/** Whether a fault acts on bytes that go this way. */
export function actsOn(fault: ProxyFault, way: Way): boolean {
  return fault.kind === 'cut' || fault.direction === 'both' || fault.direction === way;
}

/** Whether both want to do the same thing to the same bytes, so that neither could be undone by itself. */
export function overlap(one: ProxyFault, other: ProxyFault): boolean {
  if (one.kind !== other.kind) return false;
  return (['to-server', 'to-client'] as const).some((way) => actsOn(one, way) && actsOn(other, way));
}

/** @throws KilldrillError `PROXY_FAULT_INVALID` for a size that a proxy cannot keep to */
export function checkFault(fault: ProxyFault): void {
  switch (fault.kind) {
    case 'latency':
      return checkSize('a latency', fault.delayMs, MAX_DELAY_MS, 'milliseconds');
    case 'jitter':
      return checkSize('a jitter', fault.upToMs, MAX_DELAY_MS, 'milliseconds');
    case 'bandwidth':
      return checkSize('a bandwidth', fault.bytesPerSecond, MAX_BYTES_PER_SECOND, 'bytes a second');
    case 'cut':
    case 'reset':
    case 'half-open':
      return;
    default:
      throw new TypeError(`unknown fault ${JSON.stringify(fault satisfies never)}`);
  }
}

function checkSize(what: string, value: number, most: number, unit: string): void {
  if (Number.isFinite(value) && value >= 1 && value <= most) return;
  const message = `${what} of ${value} ${unit} was asked of a proxy; give it a number from 1 to ${most}`;
  throw new KilldrillError('PROXY_FAULT_INVALID', message);
}

/** A fault that is on, and its account. */
export class ActiveFault {
  readonly fault: ProxyFault;
  #onObserved: ((receipt: FaultReceipt) => void) | null;
  #connections = 0;
  #refused = 0;
  #bytes = 0;

  constructor(fault: ProxyFault, onObserved: ((receipt: FaultReceipt) => void) | null) {
    this.fault = fault;
    this.#onObserved = onObserved;
  }

  get receipt(): FaultReceipt {
    return { connections: this.#connections, refused: this.#refused, bytes: this.#bytes };
  }

  /** It has acted. The first time, whoever waits for its receipt is told. */
  note({ connections = 0, refused = 0, bytes = 0 }: Partial<FaultReceipt>): void {
    this.#connections += connections;
    this.#refused += refused;
    this.#bytes += bytes;
    const told = this.#onObserved;
    if (connections + refused + bytes === 0 || told === null) return;
    this.#onObserved = null;
    told(this.receipt);
  }
}

/** What is on for the bytes that go one way: at most one fault of each kind. */
export interface Shape {
  readonly reset: ActiveFault | null;
  readonly hold: ActiveFault | null;
  /** What delays or paces or holds: every byte that comes is on their receipts. */
  readonly slowing: readonly ActiveFault[];
  readonly delayMs: number;
  readonly jitter: { readonly by: ActiveFault; readonly upToMs: number; readonly seed: number | string } | null;
  /** Null for as fast as it goes. */
  readonly bytesPerSecond: number | null;
}

/** What the faults that are on come to, one way. */
export function shapeOf(active: Iterable<ActiveFault>, way: Way): Shape {
  let shape: Shape = { reset: null, hold: null, slowing: [], delayMs: 0, jitter: null, bytesPerSecond: null };
  for (const by of active) {
    const { fault } = by;
    if (!actsOn(fault, way) || fault.kind === 'cut') continue; // a cut leaves no connection to shape
    if (fault.kind === 'reset') {
      shape = { ...shape, reset: by };
      continue;
    }
    shape = { ...shape, slowing: [...shape.slowing, by] };
    if (fault.kind === 'half-open') shape = { ...shape, hold: by };
    else if (fault.kind === 'latency') shape = { ...shape, delayMs: fault.delayMs };
    else if (fault.kind === 'bandwidth') shape = { ...shape, bytesPerSecond: fault.bytesPerSecond };
    else shape = { ...shape, jitter: { by, upToMs: fault.upToMs, seed: fault.seed } };
  }
  return shape;
}
