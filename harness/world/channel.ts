import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import type { DrillClock } from '../history/clock.ts';
import type { ChannelId } from '../history/event.ts';
import type { HistorySink, Interval } from '../history/write.ts';
import type { ChannelTally } from './call.ts';
import { CallDoor } from './call-door.ts';
import type { Incoming } from './call-door.ts';
import type { ChannelLimits } from './channel-limits.ts';
import { Connections } from './connections.ts';
import type { Downstream } from './downstream.ts';
import type { LoopWatch } from './loop-watch.ts';
import { OPERATOR } from '../history/operator.ts';
import { reply } from './reply.ts';
import { readRoute, recordedPath } from './route.ts';
import type { Refusal, Route } from './route.ts';
import { WorkDoor } from './work-door.ts';
import type { RunBook } from './run-book.ts';
import type { WorkQueue } from './work-queue.ts';

/** The world as one incarnation of a worker reaches it: a port and a token of its own. */
export interface Channel {
  readonly id: ChannelId;
  readonly worker: string;
  /** `http://127.0.0.1:<port>/<token>`, without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Closes the port and every connection; open calls are closed by the harness. Safe to call twice. */
  close(): Promise<void>;
}

export interface ChannelOptions {
  readonly id: ChannelId;
  readonly worker: string;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly loop: LoopWatch;
  readonly book: RunBook;
  readonly queue: WorkQueue;
  readonly downstream: Downstream;
  readonly limits: ChannelLimits;
  /** Records what cannot be attributed to a run of this channel's worker. */
  readonly unattributed: (port: number, path: string, why: string, at: Interval) => void;
  readonly isOtherToken: (token: string) => boolean;
}

/** Idle connections are kept longer than any drill lasts: closing one under a client's next call would look like a fault. */
const KEEP_ALIVE_MS = 24 * 60 * 60 * 1000;

/** The HTTP server of one channel. */
export class ChannelServer implements Channel {
  readonly id: ChannelId;
  readonly worker: string;
  readonly token: string;
  readonly tally: ChannelTally = { arrived: 0, open: 0, landed: 0, failed: 0, closed: 0, handed: 0 };
  readonly #options: ChannelOptions;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #work: WorkDoor;
  readonly #calls: CallDoor;
  #port = 0;
  #listening: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.id = options.id;
    this.worker = options.worker;
    this.token = randomBytes(16).toString('hex');
    this.#connections = new Connections(options);
    this.#server = this.#createServer();
    const { id: channel, worker, tally } = this;
    const { limits } = options;
    this.#work = new WorkDoor({ ...options, channel, worker, tally, maxPolls: limits.openPolls });
    this.#calls = new CallDoor({
      ...options,
      channel,
      worker,
      tally,
      refuse: (incoming, refusal, at) => this.#refuse(incoming, refusal, at),
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/${this.token}`;
  }

  /** @throws KilldrillError `CHANNEL_NOT_OPENED` when no port can be had. */
  listen(): Promise<void> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes every connection that waits for an answer to an effect. */
  closeOpenCalls(): void {
    this.#connections.dropThoseWithCalls();
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const what = `the world's channel for ${this.worker} got no port: ${messageOf(cause)}`;
        reject(new KilldrillError('CHANNEL_NOT_OPENED', what, { cause }));
      });
      this.#server.listen({ host: '127.0.0.1', port: 0, backlog: 2048 }, resolve);
    });
    // An accept that fails later (no descriptors left) must not end the drill; its client is left waiting and says so.
    this.#server.on('error', (error) =>
      this.#unattributed('', `the channel's server: ${messageOf(error)}`, this.#now()),
    );
    // A server listening on a port has an address of this kind.
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #close(): Promise<void> {
    await this.#listening?.catch(() => {});
    await this.#readUp();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#connections.dropAll();
    this.#options.queue.forgetWorker(this.worker);
    await closed;
  }

  /** What a worker sent before it died is witnessed before its port closes: until a look accepts nobody new. */
  async #readUp(): Promise<void> {
    let before = -1;
    for (
      let turn = 0;
      before !== this.#connections.accepted && turn < 2 * this.#options.limits.connections;
      turn += 1
    ) {
      before = this.#connections.accepted;
      // The first of two turns may end without a look, when this was called by a socket's handler.
      await nextTurn();
      await nextTurn();
    }
  }

  #createServer(): Server {
    const { limits } = this.#options;
    const server = createServer({
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: limits.requestMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: Math.min(1000, limits.requestMs / 2),
      // Node would refuse such a request by itself, and nothing would be recorded; so with `checkExpectation` below.
      requireHostHeader: false,
      noDelay: true,
    });
    server.maxConnections = limits.connections;
    server.on('connection', (socket) => this.#connections.accept(socket));
    server.on('request', (request, response) => this.#guarded({ request, response }));
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      this.#guarded({ request, response }),
    );
    server.on('connect', (request, socket) => {
      this.#unattributed(request.url ?? '', 'CONNECT', this.#now());
      socket.destroy();
    });
    server.on('drop', () => this.#unattributed('', `more than ${limits.connections} connections`, this.#now()));
    server.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket));
    return server;
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#connections.find(socket);
    const code = error.code ?? '';
    // A connection that breaks, or never said anything, is no request.
    const isRequest =
      (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') ||
      (code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead > 0);
    if (isRequest) this.#unattributed('', `no HTTP request: ${code}`, connection?.interval() ?? this.#now());
    if (isRequest && socket.writable) {
      const status = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
      socket.write(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    }
    if (isRequest && connection !== undefined) connection.closedByHarness = true;
    socket.destroySoon();
  }

  #guarded(incoming: Incoming): void {
    const { request, response } = incoming;
    // Both emit errors of a connection that breaks; the connection's own listeners deal with it.
    request.on('error', () => {});
    response.on('error', () => {});
    try {
      this.#onRequest(incoming);
    } catch (error) {
      // The witness must not die of one request, and must not be silent about it either.
      this.#unattributed(request.url ?? '', `the harness failed: ${messageOf(error)}`, this.#now());
      response.destroy();
    }
  }

  #onRequest(incoming: Incoming): void {
    const { request, response } = incoming;
    const connection = this.#connections.find(request.socket);
    if (connection === undefined || connection.gone) return;
    const at = connection.interval();
    connection.lastHanded = null;
    const route = this.#route(request);
    if (route.kind === 'refused') this.#refuse(incoming, route, at);
    else if (route.kind !== 'work') this.#calls.take(connection, incoming, route, at);
    else {
      request.resume();
      this.#work.poll(connection, response);
    }
  }

  #route({ method = '', url = '', headers }: IncomingMessage): Route {
    const header = (name: string): string | undefined => {
      const value = headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    const route = readRoute({ method, url, header }, this.token, this.#options.isOtherToken);
    const isTheirs = this.worker !== OPERATOR || route.kind === 'effect' || route.kind === 'refused';
    return isTheirs ? route : { kind: 'refused', status: 403, why: 'the operator takes no work and starts no run' };
  }

  #refuse({ request, response }: Incoming, { status, why }: Refusal, at: Interval): void {
    this.#unattributed(request.url ?? '', why, at);
    // A repeat is answered before its body has come in; there is nothing more to say then.
    if (response.headersSent) {
      this.#connections.drop(request.socket);
      return;
    }
    // What may still come of its body is not waited for.
    response.setHeader('connection', 'close');
    reply(response, status, { error: why });
    request.resume();
  }

  #unattributed(path: string, why: string, at: Interval): void {
    this.#options.unattributed(this.#port, recordedPath(path), why, at);
  }

  #now(): Interval {
    const now = this.#options.clock.nowNs();
    return { t0: now, t1: now };
  }
}
