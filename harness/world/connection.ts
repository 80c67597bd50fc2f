import type { Socket } from 'node:net';
import type { Interval } from '../history/write.ts';
import type { TraceRun } from '../traffic/trace.ts';
import type { ConnectionBounds } from './arrival-bounds.ts';
import type { Call } from './call.ts';

/** One poll for work; `cancel` takes it out of the queue. */
export interface Poll {
  cancel: () => void;
}

/** One worker's connection to its channel, and everything that must be told when it closes. */
export class Connection {
  readonly socket: Socket;
  readonly #bounds: ConnectionBounds;
  readonly #nowNs: () => number;
  /** Effects that were not answered yet. */
  readonly calls = new Set<Call>();
  /** Polls for work that were not answered yet. */
  readonly polls = new Set<Poll>();
  /** Set when the harness itself closes the connection. */
  closedByHarness = false;
  /** The peer said that it is gone, or the connection broke. */
  gone = false;
  /** The run that the last answer on this connection handed out, while no other request has come on it. */
  lastHanded: TraceRun | null = null;

  constructor(socket: Socket, bounds: ConnectionBounds, nowNs: () => number) {
    this.socket = socket;
    this.#bounds = bounds;
    this.#nowNs = nowNs;
  }

  /** When what is being handled now happened. */
  interval(): Interval {
    const t0 = this.#bounds.lowerNs();
    return { t0, t1: Math.max(t0, this.#nowNs()) };
  }
}
