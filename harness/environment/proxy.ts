import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { once } from 'node:events';
import { KilldrillError } from '../../src/errors.ts';

/** Where a TCP proxy connects to: a unix socket or a port on the loopback. */
export type ConnectTarget = { readonly path: string } | { readonly host: string; readonly port: number };

/** What a cut has done to connections since it began. */
export interface CutReceipt {
  /** Connections that were there and were reset. */
  readonly severed: number;
  /** Connections that were tried while it lasted and were reset at once. */
  readonly refused: number;
}

/** A TCP proxy on the loopback: one plane of one worker, so that planes fail one by one. */
export interface Proxy {
  /** Stays the same until the proxy is closed, whatever becomes of the target. */
  readonly port: number;
  /** Of the cut that lasts, or of the last one; zeros before the first. */
  readonly receipt: CutReceipt;
  /** How many connections pass through it now. */
  readonly connections: number;
  /**
   * Resets every connection and refuses new ones until it is healed.
   *
   * @param onObserved called once per cut, as soon as it has severed or refused a connection (the fault's receipt).
   * @throws KilldrillError `PROXY_ALREADY_CUT`
   */
  cut(onObserved?: (receipt: CutReceipt) => void): void;
  /** Lets new connections pass again. Does nothing when it is not cut. */
  heal(): void;
  /** Resets what is left and gives the port back. Safe to call twice. */
  close(): Promise<void>;
}

/** Starts a proxy in front of `target`, which need not be up: a connection to a target that is down is closed. */
export async function startProxy({ target }: { readonly target: ConnectTarget }): Promise<Proxy> {
  const proxy = new LoopbackProxy(target);
  await proxy.listen();
  return proxy;
}

/** One client's connection and the one made to the target for it. */
interface Link {
  readonly client: Socket;
  readonly upstream: Socket;
}

interface Cut {
  severed: number;
  refused: number;
  onObserved: ((receipt: CutReceipt) => void) | null;
}

class LoopbackProxy implements Proxy {
  readonly #target: ConnectTarget;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #state: { readonly kind: 'passing' } | { readonly kind: 'cut'; readonly cut: Cut } | { readonly kind: 'closed' };
  #lastCut: CutReceipt = { severed: 0, refused: 0 };
  #port = 0;

  constructor(target: ConnectTarget) {
    this.#target = target;
    this.#state = { kind: 'passing' };
    // a half-closed connection still carries data the other way
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return this.#port;
  }

  get receipt(): CutReceipt {
    const { severed, refused } = this.#lastCut;
    return { severed, refused };
  }

  get connections(): number {
    return this.#links.size;
  }

  async listen(): Promise<void> {
    this.#server.listen({ host: '127.0.0.1', port: 0 });
    await once(this.#server, 'listening');
    this.#server.on('error', () => undefined); // accepting failed once (too many files): the client sees it
    const address = this.#server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
  }

  cut(onObserved?: (receipt: CutReceipt) => void): void {
    if (this.#state.kind === 'cut') {
      throw new KilldrillError(
        'PROXY_ALREADY_CUT',
        `the proxy on port ${this.#port} is cut already; heal it before the next cut`,
      );
    }
    const cut: Cut = { severed: 0, refused: 0, onObserved: onObserved ?? null };
    this.#state = { kind: 'cut', cut };
    this.#lastCut = cut;
    cut.severed = this.#sever();
    if (cut.severed > 0) observe(cut);
  }

  heal(): void {
    if (this.#state.kind === 'cut') this.#state = { kind: 'passing' };
  }

  async close(): Promise<void> {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: 'closed' };
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#sever();
    await closed;
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined); // its 'close' follows
    switch (this.#state.kind) {
      case 'passing':
        return this.#link(client);
      case 'closed':
        return reset(client);
      case 'cut':
        reset(client);
        this.#state.cut.refused += 1;
        return observe(this.#state.cut);
    }
  }

  #link(client: Socket): void {
    const upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    upstream.on('error', () => undefined); // its 'close' follows
    const link: Link = { client, upstream };
    this.#links.add(link);
    // pipe respects back-pressure and passes an end on; a side that breaks takes the other with it
    client.pipe(upstream);
    upstream.pipe(client);
    upstream.once('close', (broken) => this.#unlink(link, broken));
    client.once('close', (broken) => this.#unlink(link, broken));
  }

  #unlink(link: Link, broken: boolean): void {
    const { client, upstream } = link;
    if (broken || upstream.destroyed) client.destroySoon();
    if (broken || client.destroyed) upstream.destroySoon();
    if (client.destroyed && upstream.destroyed) this.#links.delete(link);
  }

  #sever(): number {
    const links = [...this.#links];
    this.#links.clear(); // their 'close' comes later, but nothing passes through them any more
    for (const { client, upstream } of links) {
      reset(client);
      upstream.destroy();
    }
    return links.length;
  }
}

/** The connection ends with a reset, as when a machine in between has forgotten it: not an orderly end. */
function reset(socket: Socket): void {
  socket.resetAndDestroy();
}

function observe(cut: Cut): void {
  const { severed, refused, onObserved } = cut;
  cut.onObserved = null;
  onObserved?.({ severed, refused });
}
