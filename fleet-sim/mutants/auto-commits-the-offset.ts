import type { AlertBus, AlertStore, BusMessage, ExecutorParts } from '../../src/index.ts';
import { busWith } from './bus-with.ts';
import type { ExecutorContext, Mutant } from './mutant.ts';

/** How long it takes over one alert, and over several together. */
const WORK_MS = { one: 150, several: 1_000 } as const;

export const autoCommitsTheOffset: Mutant = {
  name: 'auto-commits-the-offset',
  bug: 'its position goes past alerts as soon as they are read, as a client with auto-commit has it, and it works them off at its leisure',
  removes: ["position that moves in the statement of an alert's record"],
  property: 'alerts_not_lost',
  scenario: 'executor-killed',
  bend: () => ({}),
  bendExecutor: (context) => (genuine) => {
    const { store, bus } = genuine;
    return { ...genuine, store: atLeisure(store, genuine), bus: committing(bus, store, context) };
  },
};

function atLeisure(store: AlertStore, { clock }: ExecutorParts): AlertStore {
  const take = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  return {
    position: (topic, partition) => store.position(topic, partition),
    trip: async (place, trip, signature) => {
      await take(WORK_MS.one);
      return store.trip(place, trip, signature);
    },
    trips: async (offers) => {
      await take(WORK_MS.several);
      return store.trips(offers);
    },
    refuse: (refusals) => store.refuse(refusals),
    place: (topic, partition, from, to, why) => store.place(topic, partition, from, to, why),
  };
}

function committing(bus: AlertBus, store: AlertStore, context: ExecutorContext): AlertBus {
  return busWith(bus, async (reader, messages) => {
    await passBy(messages, store, context);
    await reader.deliver(messages);
  });
}

/** Where the store stands before these, it stands behind them from now on. */
async function passBy(messages: readonly BusMessage[], store: AlertStore, { differs }: ExecutorContext): Promise<void> {
  const last = messages.at(-1);
  if (last === undefined) return;
  const { topic, partition } = last;
  const from = await store.position(topic, partition);
  const to = last.position + 1;
  if (from === null || from >= to) return;
  if ((await store.place(topic, partition, from, to, 'auto-commit')) === to)
    differs({ input: { topic, partition, unrecorded: to - from }, unmodified: from, mutated: to });
}
