import type { LoopWatch } from './loop-watch.ts';

/**
 * Lower bounds for what arrives at one listening port.
 *
 * A connection may wait in the listen queue with its first request already sent, and libuv accepts one connection a
 * loop: a long queue outlasts many looks. But a look during which the port accepted nothing found the queue empty, so
 * whatever is accepted later was connected after that look began.
 */
export class ArrivalBounds {
  readonly #loop: LoopWatch;
  /** Nothing that is accepted from now on was connected before this. */
  #quietNs: number;
  /** The last look during which a connection was accepted. */
  #busyLookNs: number | null = null;

  /** `openedNs`: a reading from before the port was opened. */
  constructor(loop: LoopWatch, openedNs: number) {
    this.#loop = loop;
    this.#quietNs = openedNs;
  }

  /** Call for each connection as it is accepted, at the reading `nowNs`; gives the connection's own bounds. */
  accepted(nowNs: number): ConnectionBounds {
    const { lookedNs, lookingNs } = this.#loop;
    if (lookedNs !== this.#busyLookNs) this.#quietNs = Math.max(this.#quietNs, lookedNs);
    if (lookingNs !== null) this.#busyLookNs = lookingNs;
    return new ConnectionBounds(this.#loop, nowNs, this.#quietNs);
  }
}

/** Lower bounds for what arrives on one connection. */
export class ConnectionBounds {
  readonly #loop: LoopWatch;
  readonly #acceptedNs: number;
  readonly #connectedNs: number;

  constructor(loop: LoopWatch, acceptedNs: number, connectedNs: number) {
    this.#loop = loop;
    this.#acceptedNs = acceptedNs;
    this.#connectedNs = connectedNs;
  }

  /** What is being handled now arrived no earlier than this. A connection is first watched in the look after its acceptance. */
  lowerNs(): number {
    const { lookedNs } = this.#loop;
    return lookedNs > this.#acceptedNs ? lookedNs : this.#connectedNs;
  }
}
