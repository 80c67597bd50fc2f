/** An alert whose publishing was acknowledged. */
export interface AcknowledgedAlert {
  readonly content: string;
  /** Of the flip that it must become; null for poison. */
  readonly flipId: string | null;
}

/** A message as it stands on the bus: `partition/position`, and what it says. */
export interface PlacedAlert {
  readonly place: string;
  readonly content: string;
}

export interface KillRecord {
  readonly acknowledged: readonly AcknowledgedAlert[];
  /** All that the bus holds. */
  readonly onBus: readonly PlacedAlert[];
  readonly records: readonly { readonly place: string; readonly kind: string; readonly flipId: string | null }[];
  /** Ids of all flips, in their order. */
  readonly flips: readonly string[];
  /** Places of the dead letters. */
  readonly letters: readonly string[];
  /** The store's position in each partition, and where it ends. */
  readonly partitions: readonly { readonly partition: number; readonly position: number; readonly end: number }[];
}

/** Everything that is wrong, a sentence each; empty when every acknowledged alert got its end exactly once. */
export function judgeKills(found: KillRecord): readonly string[] {
  const { acknowledged, onBus, records, flips, letters, partitions } = found;
  const flipOf = new Map(acknowledged.map(({ content, flipId }) => [content, flipId]));
  const recordsAt = new Map<string, (typeof records)[number][]>();
  for (const record of records) recordsAt.set(record.place, [...(recordsAt.get(record.place) ?? []), record]);
  const [times, kept] = [countsOf(flips), new Set(letters)];
  const wrong = onBus.flatMap(({ place, content }) => {
    const flipId = flipOf.get(content);
    if (flipId === undefined) return [`nobody published what stands at ${place}`];
    const of = recordsAt.get(place) ?? [];
    const became = of.map(({ kind }) => kind).join(' and ') || 'nothing';
    if (flipId === null) {
      const letter = kept.has(place) ? 'kept' : 'lost';
      const isDead = letter === 'kept' && became === 'poison';
      return isDead ? [] : [`poison at ${place} is on record as ${became}, its letter ${letter}`];
    }
    const isStop = (became === 'flip' || became === 'duplicate') && of[0]?.flipId === flipId;
    return isStop ? [] : [`the alert at ${place} is on record as ${became}`];
  });
  const expected = new Set(acknowledged.flatMap(({ flipId }) => flipId ?? []));
  const twice = [...expected].filter((id) => times.get(id) !== 1);
  return [
    ...lostOnTheWay(acknowledged, onBus),
    ...wrong,
    ...twice.map((id) => `flip ${id} was made ${times.get(id) ?? 0} times`),
    ...flips.filter((id) => !expected.has(id)).map((id) => `flip ${id} is of no alert`),
    ...partitions.flatMap(({ partition, position, end }) =>
      position === end ? [] : [`the position of partition ${partition} is ${position}, and it ends at ${end}`],
    ),
  ];
}

/** What the bus acknowledged and does not hold; and that it holds what was acknowledged, no more. */
function lostOnTheWay(acknowledged: readonly AcknowledgedAlert[], onBus: readonly PlacedAlert[]): readonly string[] {
  const [said, held] = [acknowledged, onBus].map((all) => countsOf(all.map(({ content }) => content)));
  return [...(said ?? [])].flatMap(([content, times]) => {
    const found = held?.get(content) ?? 0;
    return found === times
      ? []
      : [`of ${times} acknowledged messages '${content.slice(0, 80)}' the bus holds ${found}`];
  });
}

function countsOf(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
