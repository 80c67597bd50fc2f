import type { AlertBus, PartitionRange } from './alert-bus.ts';
import type { AlertStore } from './alert-store.ts';

/** Where to start reading a partition, and whether the store said so. */
export interface AlertStart {
  readonly position: number;
  readonly isStoresWord: boolean;
}

/**
 * Where to start: at the store's position; at what was committed to the bus while the store is away; at the earliest
 * message if that is out of range, and then the gap goes on record. Never at the latest: that loses what came before.
 *
 * @throws what the bus throws.
 */
export async function startOf(
  bus: Pick<AlertBus, 'topic' | 'range'>,
  store: Pick<AlertStore, 'position' | 'place'>,
  partition: number,
  committed: number | null,
  onError: (error: unknown) => void,
): Promise<AlertStart> {
  const { topic } = bus;
  let stored: number | null;
  try {
    stored = await store.position(topic, partition);
  } catch (error) {
    onError(error);
    return { position: within(await bus.range(partition), committed), isStoresWord: false };
  }
  // After the position: what the bus says later than the store can only be beyond it, unless messages are gone.
  const range = await bus.range(partition);
  if (stored !== null && within(range, stored) === stored) return { position: stored, isStoresWord: true };
  try {
    const why = stored === null ? 'placed for the first time' : outOfRange(stored, range);
    return { position: await store.place(topic, partition, stored, range.earliest, why), isStoresWord: true };
  } catch (error) {
    onError(error);
    return { position: range.earliest, isStoresWord: false };
  }
}

function within({ earliest, end }: PartitionRange, position: number | null): number {
  return position === null || position < earliest || position > end ? earliest : position;
}

function outOfRange(stored: number, { earliest, end }: PartitionRange): string {
  return stored < earliest
    ? `the bus has nothing before ${earliest} any more`
    : `the bus ends at ${end}: the topic was made anew or cut short`;
}
