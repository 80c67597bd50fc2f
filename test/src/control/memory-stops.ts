import type { StopStore } from '../../../src/store/stop-port.ts';
import type { FlipStore } from '../../../src/store/store.ts';

/** A store for stops over any control plane; `before` may hold a batch up, or throw as a store that is away does. */
export function stopsOver(
  control: Pick<FlipStore, 'flip'>,
  before: (texts: readonly string[]) => Promise<void> | void = () => undefined,
): StopStore {
  return {
    stops: async (offers) => {
      await before(offers.map(({ text }) => text));
      const records = [];
      for (const { text, signature } of offers) records.push((await control.flip(text, signature)).record);
      return records;
    },
  };
}
