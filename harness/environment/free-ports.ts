import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';

/**
 * Ports of the loopback that nobody listens on now, all different. Somebody may take one before it is used: whoever starts a
 * server there looks again.
 */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const held: Server[] = [];
  try {
    for (let at = 0; at < count; at += 1) {
      const server = createServer().listen({ host: '127.0.0.1', port: 0 });
      held.push(server);
      await once(server, 'listening');
    }
    return held.map((server) => {
      const address = server.address();
      return address !== null && typeof address === 'object' ? address.port : 0;
    });
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
