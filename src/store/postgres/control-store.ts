import type { ControlStore } from '../control-port.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** What the control API reads and records, on a connection of its own; its login role needs `killdrill_flipper`. */
export function openControlStore(options: StoreOptions): Opened<ControlStore> {
  const resolved = resolveStoreOptions(options);
  const { namespace } = resolved;
  const session = new Session('api', resolved);
  return {
    flipsPage: (afterRevision, limit) => session.call('flips_page', [namespace, afterRevision, limit]),
    recordRefusal: async ({ by, request, code, message }) =>
      session.call('record_refusal', [namespace, storable(by), storable(request), code, storable(message)]),
    close: () => session.close(),
  };
}

/** PostgreSQL keeps no NUL and no half of a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll(/[\0\p{Cs}]/gu, '\uFFFD');
}
