import { flipChannel } from '../../src/store/postgres/flip-channel.ts';
import { openFlipSource } from '../../src/store/postgres/flip-source.ts';
import { resolveStoreOptions } from '../../src/store/postgres/options.ts';
import { Session } from '../../src/store/postgres/session.ts';
import type { ForgersWays } from '../conductor/forger.ts';

const LOCK_MS = 150;

/** What a worker's login can do to the store, past every check of this side's; connected when it is first needed. */
export function forgersWays(connectionString: string, namespace: string): ForgersWays & { close(): Promise<void> } {
  const options = { connectionString, namespace };
  const source = openFlipSource(options);
  const session = new Session('forger', resolveStoreOptions(options));
  const channel = flipChannel(namespace);
  const offer = async (operation: 'relay' | 'flip', text: string, signature: string | null): Promise<void> => {
    await session.call(operation, [namespace, text, signature, LOCK_MS]);
  };
  return {
    notify: (record) =>
      session.use('notify', async (ask) => {
        await ask('select pg_notify($1, $2)', [channel, JSON.stringify(record)]);
      }),
    relay: (text, signature) => offer('relay', text, signature),
    flip: (text, signature) => offer('flip', text, signature),
    head: async () => (await source.load()).head,
    close: async () => void (await Promise.all([source.close(), session.close()])),
  };
}
