/** An alert whose publishing was acknowledged. */
export interface SentAlert {
  readonly position: number;
  /** Of the flip that it must become; null for poison. */
  readonly flipId: string | null;
}

export interface KillRecord {
  readonly sent: readonly SentAlert[];
  readonly records: readonly { readonly position: number; readonly kind: string; readonly flipId: string | null }[];
  /** Ids of all flips, in their order. */
  readonly flips: readonly string[];
  /** Positions of the dead letters. */
  readonly letters: readonly number[];
  /** The store's position, and where the topic ends. */
  readonly position: number;
  readonly end: number;
}

/** Everything that is wrong, a sentence each; empty when every acknowledged alert got its end exactly once. */
export function judgeKills({ sent, records, flips, letters, position, end }: KillRecord): readonly string[] {
  const at = new Map<number, (typeof records)[number][]>();
  for (const record of records) at.set(record.position, [...(at.get(record.position) ?? []), record]);
  const times = new Map<string, number>();
  for (const id of flips) times.set(id, (times.get(id) ?? 0) + 1);
  const expected = new Set(sent.flatMap(({ flipId }) => flipId ?? []));
  const kept = new Set(letters);
  const wrong = sent.flatMap((alert) => {
    const of = at.get(alert.position) ?? [];
    const found = of.map(({ kind }) => kind).join(' and ') || 'nothing';
    const { flipId } = alert;
    if (flipId === null) {
      const isDead = kept.has(alert.position) && found === 'poison';
      return isDead
        ? []
        : [
            `poison at ${alert.position} is on record as ${found}, its letter ${kept.has(alert.position) ? 'kept' : 'lost'}`,
          ];
    }
    const isStop = (found === 'flip' || found === 'duplicate') && of[0]?.flipId === flipId;
    return [
      ...(isStop ? [] : [`the alert at ${alert.position} is on record as ${found}`]),
      ...(times.get(flipId) === 1 ? [] : [`the alert at ${alert.position} became ${times.get(flipId) ?? 0} flips`]),
    ];
  });
  const strange = flips.filter((id) => !expected.has(id)).map((id) => `flip ${id} is of no alert`);
  const held = position === end ? [] : [`the position is ${position}, and the topic ends at ${end}`];
  const count = sent.length === end ? [] : [`${sent.length} alerts were acknowledged, and the topic ends at ${end}`];
  return [...wrong, ...strange, ...held, ...count];
}
