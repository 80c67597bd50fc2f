import { KilldrillError } from '../../src/errors.ts';
import type { KafkaDoor } from './environment.ts';
import { startProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';

/** Enough for eight workers, executors, an API and the harness itself. A listener costs a broker two threads. */
export const DOORS = 16;
/** Takes part in what the harness itself asks the broker; never under a fault. */
const OWN_DOOR = 'killdrill';

/** One listener of a broker: its name, and the address that the broker tells clients of it. */
export interface Listener {
  readonly name: string;
  readonly advertisedPort: number;
}

/** The proxies in front of a broker, a listener each. They are there before the broker is: it has to know their ports. */
export class KafkaDoors {
  readonly listeners: readonly Listener[];
  readonly #proxies: readonly Proxy[];
  readonly #takenBy: string[] = [OWN_DOOR];

  private constructor(proxies: readonly Proxy[]) {
    this.#proxies = proxies;
    this.listeners = proxies.map(({ port }, at) => ({ name: `DOOR${at}`, advertisedPort: port }));
  }

  /** `portOf` is asked at each connection where the listener is now; null while it is nowhere. */
  static async open(portOf: (listener: number) => number | null): Promise<KafkaDoors> {
    const proxies: Proxy[] = [];
    for (let at = 0; at < DOORS; at += 1) {
      // the proxy reads it anew at each connection; port 1 answers nobody
      const target = {
        host: '127.0.0.1',
        get port(): number {
          return portOf(at) ?? 1;
        },
      };
      proxies.push(await startProxy({ target }));
    }
    return new KafkaDoors(proxies);
  }

  /** The harness's own way in. */
  get own(): string {
    return this.door(OWN_DOOR).brokers;
  }

  /** @throws KilldrillError `KAFKA_DOORS` */
  door(client: string): KafkaDoor {
    if (!this.#takenBy.includes(client)) this.#takenBy.push(client);
    const proxy = this.#proxies[this.#takenBy.indexOf(client)];
    if (proxy !== undefined) return { brokers: `127.0.0.1:${proxy.port}`, proxy };
    this.#takenBy.pop();
    const message = `${client} would be client ${DOORS + 1} of the drill's Kafka broker, which has ${DOORS} doors; a drill with fewer workers has room`;
    throw new KilldrillError('KAFKA_DOORS', message);
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}
