import type { Finding } from './checker.ts';
import { fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';

interface Partition {
  readonly topic: string;
  readonly partition: number;
  /** What is on record of it, in order. */
  readonly recorded: readonly number[];
  /** The next one; null when the store never placed it. */
  readonly next: number | null;
}

/** A partition that was passed without a record; null when there is none. */
export function passedOver(index: DrillIndex): Finding | null {
  for (const { topic, partition, recorded, next } of partitionsOf(index)) {
    const known = new Set(recorded);
    const [first] = recorded;
    for (let position = first ?? 0; first !== undefined && position < (next ?? 0); position += 1) {
      if (known.has(position)) continue;
      const reason = `partition ${partition} of ${topic} stands at ${next ?? 0}, and nothing is on record of ${position}`;
      return fail(reason, { topic, partition, position, next, first });
    }
  }
  return null;
}

/** A partition that does not stand behind all its records; null when there is none. */
export function heldUp(index: DrillIndex): Finding | null {
  for (const { topic, partition, recorded, next } of partitionsOf(index)) {
    const last = recorded.at(-1);
    if (last === undefined || (next !== null && next > last)) continue;
    const stands = next === null ? 'was never placed' : `stands at ${next}`;
    const reason = `partition ${partition} of ${topic} ${stands}, though ${last} is on record`;
    return fail(reason, { topic, partition, next, last });
  }
  return null;
}

function partitionsOf({ alerts: { records, positions } }: DrillIndex): readonly Partition[] {
  const places = new Map<string, { readonly topic: string; readonly partition: number }>();
  for (const { topic, partition } of [...positions, ...records])
    places.set(`${topic}/${partition}`, { topic, partition });
  return [...places.values()].map(({ topic, partition }) => {
    const isHere = (one: { readonly topic: string; readonly partition: number }): boolean =>
      one.topic === topic && one.partition === partition;
    const recorded = records.filter(isHere).map(({ position }) => position);
    const next = positions.find(isHere)?.position ?? null;
    return { topic, partition, recorded: recorded.toSorted((one, other) => one - other), next };
  });
}
