import type { Socket } from 'node:net';
import type { DrillClock } from '../history/clock.ts';
import { ArrivalBounds } from './arrival-bounds.ts';
import { Connection } from './connection.ts';
import type { Downstream } from './downstream.ts';
import type { LoopWatch } from './loop-watch.ts';
import type { WorkQueue } from './work-queue.ts';

interface ConnectionsOptions {
  readonly clock: DrillClock;
  readonly loop: LoopWatch;
  readonly queue: WorkQueue;
  readonly downstream: Downstream;
}

/** The connections of one channel, and what becomes of their calls and polls when they close. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #bounds: ArrivalBounds;
  readonly #open = new Map<Socket, Connection>();
  #accepted = 0;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#bounds = new ArrivalBounds(options.loop, options.clock.nowNs());
  }

  /** Connections accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  find(socket: Socket): Connection | undefined {
    return this.#open.get(socket);
  }

  accept(socket: Socket): void {
    const { clock } = this.#options;
    this.#accepted += 1;
    const connection = new Connection(socket, this.#bounds.accepted(clock.nowNs()), () => clock.nowNs());
    this.#open.set(socket, connection);
    socket.on('end', () => this.#gone(connection));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#gone(connection);
      if (error.code === 'ECONNRESET') this.#unreadAnswer(connection);
    });
    socket.on('close', () => {
      this.#gone(connection);
      this.#open.delete(socket);
    });
  }

  /** Closes one connection, by the harness. */
  drop(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined) this.#drop(connection);
  }

  /** Closes every connection, by the harness. */
  dropAll(): void {
    for (const connection of this.#open.values()) this.#drop(connection);
  }

  /** Closes every connection that waits for an answer to an effect. */
  dropThoseWithCalls(): void {
    for (const connection of this.#open.values()) if (connection.calls.size > 0) this.#drop(connection);
  }

  #drop(connection: Connection): void {
    connection.closedByHarness = true;
    this.#gone(connection);
    connection.socket.destroy();
  }

  /** The peer has gone: nobody reads an answer to what is still open. Acts on the first sign of it. */
  #gone(connection: Connection): void {
    if (connection.gone) return;
    connection.gone = true;
    const at = connection.interval();
    const by = connection.closedByHarness ? 'harness' : 'worker';
    for (const call of connection.calls) this.#options.downstream.closed(call, by, at);
    connection.calls.clear();
    for (const poll of connection.polls) poll.cancel();
  }

  /** A reset after the last answer: the peer's kernel sends one when it closes with bytes that nobody had read. */
  #unreadAnswer(connection: Connection): void {
    const run = connection.lastHanded;
    connection.lastHanded = null;
    if (run !== null) this.#options.queue.giveBack(run);
  }
}
