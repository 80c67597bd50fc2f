import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startCommand } from './command.ts';

/** Goes wrong outside of all that the command waits for, once it is connected to this port. */
const plant = (port: number, wrong: string): string =>
  `data:text/javascript,${encodeURIComponent(`
    import { Socket } from 'node:net';
    const { connect } = Socket.prototype;
    Socket.prototype.connect = function (...to) {
      this.once('connect', () => { if (this.remotePort === ${port}) setImmediate(() => { ${wrong} }); });
      return connect.apply(this, to);
    };
  `)}`;

describe('an error that nothing handles', () => {
  it.each([
    ['thrown', "throw new Error('planted \\u001b[31m')"],
    ['rejected', "void Promise.reject(new Error('planted \\u001b[31m'))"],
    ['no error at all', "void Promise.reject('planted ?[31m')"],
  ])('ends the command with 4, as a bug that says so: %s', async (_, wrong) => {
    const silent = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const { port } = silent.address() as AddressInfo;
      const { ended } = startCommand(['status', '--database', `postgres://nobody@127.0.0.1:${port}/none`], {
        NODE_OPTIONS: `--import=${plant(port, wrong)}`,
      });
      const { code, stdout, stderr } = await ended;
      expect(stderr).toMatch(/^killdrill: this is a bug of killdrill, .*planted \?\[31m/m);
      expect([code, stdout]).toEqual([4, '']);
    } finally {
      silent.close();
    }
  });
});
