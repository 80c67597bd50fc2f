import { MemoryAlertStore } from '../../../src/store/memory-alerts.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { describeAlertStoreContract } from '../alerts/alert-store-contract.ts';

describeAlertStoreContract('memory', async () => ({
  openWorld: async (namespace) => {
    const state = new MemoryState({ namespace });
    return {
      open: () => {
        const store = new MemoryStore(state);
        const alerts = new MemoryAlertStore(state);
        return { alerts, control: store, flips: store, close: async () => undefined };
      },
      records: async () =>
        state.alerts.map(({ place: { topic, partition, position }, kind, flipId, code, why }) => {
          return { topic, partition, position, kind, flipId, code, why };
        }),
      gaps: async () => state.alertPlacings.map(({ topic, from, to, why }) => ({ topic, from, to, why })),
    };
  },
  close: async () => undefined,
}));
