import type { EffectivenessStore } from '../effectiveness-port.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** What stops are judged by; its login role needs `killdrill_flipper`. */
export function openEffectivenessStore(options: StoreOptions): Opened<EffectivenessStore> {
  const resolved = resolveStoreOptions(options);
  const { namespace } = resolved;
  const session = new Session('effectiveness', resolved);
  return {
    fleet: () => session.call('fleet_facts', [namespace]),
    stopFacts: (id) => session.call('stop_facts', [namespace, id]),
    declareInventory: async (inventory, { by, reason }) => {
      await session.call('declare_inventory', [namespace, JSON.stringify(inventory), by, reason]);
    },
    closeIntent: async ({ incarnation, seq }, { by, reason }) => {
      const values = [namespace, incarnation, String(seq), by, reason];
      const { closed } = await session.call<{ readonly closed: boolean }>('close_intent', values);
      return closed;
    },
    close: () => session.close(),
  };
}
