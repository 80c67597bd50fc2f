import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';

/** A way to the real PostgreSQL that can be shut, over TCP. */
export interface Door {
  readonly url: string;
  /** Pieces of what clients sent that came through. */
  readonly passed: number;
  open(): void;
  /** Breaks what is connected; who comes then is let in and cut off, as by a server that is starting. */
  shut(): void;
  close(): Promise<void>;
}

export async function doorTo(url: string, { isOpen = true } = {}): Promise<Door> {
  // It goes to a socket, and such a URL has no host.
  const { username, password, pathname, searchParams } = new URL(url.replace('@/', '@localhost/'));
  const socketPath = join(searchParams.get('host') ?? '', '.s.PGSQL.5432');
  const sockets = new Set<Socket>();
  let [lets, passed] = [isOpen, 0];
  const shut = (): void => {
    lets = false;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const server = createServer((client) => {
    client.on('error', () => undefined);
    if (!lets) return void client.destroy();
    const behind = connect(socketPath).on('error', () => client.destroy());
    for (const socket of [client, behind]) sockets.add(socket.on('error', () => undefined));
    client.on('close', () => behind.destroy()).on('data', () => (passed += 1));
    behind.on('close', () => client.destroy());
    client.pipe(behind).pipe(client);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`,
    get passed() {
      return passed;
    },
    open: () => void (lets = true),
    shut,
    close: () => {
      shut();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}
