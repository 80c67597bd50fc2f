import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { ActiveFault, Shape, Way } from './proxy-fault.ts';
import { Lane } from './proxy-lane.ts';

/** Where a TCP proxy connects to: a unix socket or a port on the loopback. */
export type ConnectTarget = { readonly path: string } | { readonly host: string; readonly port: number };

export interface LinkOptions {
  readonly target: ConnectTarget;
  /** Counts the connections of a proxy from 1. */
  readonly number: number;
  readonly shape: (way: Way) => Shape;
  /** Both sockets are closed, or it was severed. */
  readonly gone: (link: Link) => void;
}

/** One client's connection, the one made to the target for it, and what goes between them. */
export class Link {
  readonly #options: LinkOptions;
  readonly #client: Socket;
  readonly #lanes: Readonly<Record<Way, Lane>>;
  readonly #touchedBy = new WeakSet<ActiveFault>();
  #upstream: Socket | null = null;
  #severed = false;

  constructor(client: Socket, options: LinkOptions) {
    this.#client = client;
    this.#options = options;
    this.#lanes = { 'to-server': this.#lane('to-server'), 'to-client': this.#lane('to-client') };
    this.#lanes['to-server'].readFrom(client);
    this.#lanes['to-client'].writeTo(client);
    client.once('close', () => this.#closed());
    this.reshaped();
  }

  /** Whether the target has been dialled for it. */
  get isDialled(): boolean {
    return this.#upstream !== null;
  }

  /** The faults have changed. */
  reshaped(): void {
    if (this.#severed) return;
    const hold = this.#options.shape('to-server').hold;
    // A fault that keeps every byte from the target keeps the connection from it too: the target would run out of them.
    if (this.#upstream === null && hold === null) this.#dial();
    else if (this.#upstream === null && hold !== null) this.touch(hold, 0);
    this.#lanes['to-server'].reshaped();
    this.#lanes['to-client'].reshaped();
  }

  /** Puts it on the receipt of a fault that acted on it. */
  touch(by: ActiveFault, bytes: number): void {
    const isNew = !this.#touchedBy.has(by);
    this.#touchedBy.add(by);
    by.note({ connections: isNew ? 1 : 0, bytes });
  }

  /** Resets the client, and closes the connection to the target. Safe to call twice. */
  sever(): void {
    if (this.#severed) return;
    this.#severed = true;
    for (const lane of Object.values(this.#lanes)) lane.close();
    reset(this.#client);
    this.#upstream?.destroy();
    this.#options.gone(this);
  }

  #dial(): void {
    const upstream = connect({ ...this.#options.target, allowHalfOpen: true, noDelay: true });
    upstream.on('error', () => undefined); // its 'close' follows
    this.#upstream = upstream;
    this.#lanes['to-client'].readFrom(upstream);
    this.#lanes['to-server'].writeTo(upstream);
    upstream.once('close', () => this.#closed());
  }

  #lane(way: Way): Lane {
    return new Lane({
      name: `connection ${this.#options.number} ${way}`,
      shape: () => this.#options.shape(way),
      acted: (by, bytes) => this.touch(by, bytes),
      broke: (by, bytes) => {
        this.sever();
        this.touch(by, bytes);
      },
    });
  }

  #closed(): void {
    if (this.#severed || !this.#client.destroyed) return;
    const upstream = this.#upstream;
    if (upstream !== null && !upstream.destroyed) return;
    this.#severed = true;
    for (const lane of Object.values(this.#lanes)) lane.close();
    this.#options.gone(this);
  }
}

/** The connection ends with a reset, as when a machine in between has forgotten it: not an orderly end. */
export function reset(socket: Socket): void {
  socket.resetAndDestroy();
}
