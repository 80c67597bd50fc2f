import type { CanaryTurns } from '../canary-port.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** The turns of canaries on a PostgreSQL store; its login role needs `killdrill_flipper`. */
export function openCanaryTurns(options: StoreOptions): Opened<CanaryTurns> {
  const resolved = resolveStoreOptions(options);
  const { namespace } = resolved;
  const session = new Session('canary', resolved);
  return {
    take: ({ token, by, termMs, everyMs }) => session.call('take_canary_turn', [namespace, token, by, termMs, everyMs]),
    end: async (token) => session.call('end_canary_turn', [namespace, token]),
    close: () => session.close(),
  };
}
