import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { once } from 'node:events';
import { KilldrillError } from '../../src/errors.ts';
import { ActiveFault, checkFault, overlap, shapeOf } from './proxy-fault.ts';
import type { FaultReceipt, ProxyFault, Shape, Way } from './proxy-fault.ts';
import { Link, reset } from './proxy-link.ts';
import type { ConnectTarget } from './proxy-link.ts';

export type { ConnectTarget } from './proxy-link.ts';

/** A fault that a proxy was told to have. */
export interface AppliedFault {
  /** What it has done so far; stays readable after the undo. */
  readonly receipt: FaultReceipt;
  /** Takes it away from every connection; what it held or delayed goes on, in order. Does nothing the second time. */
  undo(): void;
}

/** A TCP proxy on the loopback: one plane of one worker, so that planes fail one by one. */
export interface Proxy {
  /** Stays the same until the proxy is closed, whatever becomes of the target. */
  readonly port: number;
  /** How many connections pass through it now. */
  readonly connections: number;
  /**
   * Lets a fault act on every connection, those that come included, until it is undone. Faults of several kinds, and of
   * one kind each way, can be on at once.
   *
   * @param onObserved called once, as soon as it has acted on a connection (the fault's receipt).
   * @throws KilldrillError `PROXY_FAULT_TWICE` when one of this kind is on already for the same bytes,
   * `PROXY_FAULT_INVALID` for a size that no proxy can keep to, `PROXY_CLOSED`.
   */
  apply(fault: ProxyFault, onObserved?: (receipt: FaultReceipt) => void): AppliedFault;
  /** Resets what is left, whatever fault is on, and gives the port back. Safe to call twice. */
  close(): Promise<void>;
}

/** Connections that a fault keeps from the target; one more is refused, so that a client that tries again and again finds an end. */
const MOST_UNDIALLED = 512;

/** Starts a proxy in front of `target`, which need not be up: a connection to a target that is down is closed. */
export async function startProxy({ target }: { readonly target: ConnectTarget }): Promise<Proxy> {
  const proxy = new LoopbackProxy(target);
  await proxy.listen();
  return proxy;
}

class LoopbackProxy implements Proxy {
  readonly #target: ConnectTarget;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #faults = new Set<ActiveFault>();
  #shapes: Readonly<Record<Way, Shape>>;
  #accepted = 0;
  #isClosed = false;
  #port = 0;

  constructor(target: ConnectTarget) {
    this.#target = target;
    this.#shapes = this.#shapesNow();
    // a half-closed connection still carries data the other way
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return this.#port;
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

  apply(fault: ProxyFault, onObserved?: (receipt: FaultReceipt) => void): AppliedFault {
    checkFault(fault);
    this.#checkFree(fault);
    const active = new ActiveFault(fault, onObserved ?? null);
    this.#faults.add(active);
    this.#reshape();
    if (fault.kind === 'cut') this.#cut(active);
    return {
      get receipt() {
        return active.receipt;
      },
      undo: () => {
        if (this.#faults.delete(active)) this.#reshape();
      },
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const link of [...this.#links]) link.sever();
    this.#faults.clear();
    await closed;
  }

  #checkFree(fault: ProxyFault): void {
    if (this.#isClosed) {
      throw new KilldrillError('PROXY_CLOSED', `the proxy on port ${this.#port} is closed; no fault can act there`);
    }
    if (![...this.#faults].some((there) => overlap(there.fault, fault))) return;
    const message = `the proxy on port ${this.#port} has a ${fault.kind} already; undo it before the next one`;
    throw new KilldrillError('PROXY_FAULT_TWICE', message);
  }

  #cut(active: ActiveFault): void {
    const links = [...this.#links];
    for (const link of links) link.sever();
    active.note({ connections: links.length });
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined); // its 'close' follows
    if (this.#isClosed) return reset(client);
    const refuser = this.#refuser();
    if (refuser !== null) {
      reset(client);
      return refuser.note({ refused: 1 });
    }
    this.#accepted += 1;
    const link = new Link(client, {
      target: this.#target,
      number: this.#accepted,
      shape: (way) => this.#shapes[way],
      gone: (one) => this.#links.delete(one),
    });
    this.#links.add(link);
  }

  /** The fault that refuses a connection now; null when it may come in. */
  #refuser(): ActiveFault | null {
    const cut = [...this.#faults].find(({ fault }) => fault.kind === 'cut');
    if (cut !== undefined) return cut;
    const { hold } = this.#shapes['to-server'];
    if (hold === null) return null;
    const undialled = [...this.#links].filter((link) => !link.isDialled).length;
    return undialled >= MOST_UNDIALLED ? hold : null;
  }

  #reshape(): void {
    this.#shapes = this.#shapesNow();
    for (const link of [...this.#links]) link.reshaped();
  }

  #shapesNow(): Readonly<Record<Way, Shape>> {
    return { 'to-server': shapeOf(this.#faults, 'to-server'), 'to-client': shapeOf(this.#faults, 'to-client') };
  }
}
