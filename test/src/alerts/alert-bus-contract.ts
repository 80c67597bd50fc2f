import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BusMessage, DeadLetter } from '../../../src/alerts/alert-bus.ts';
import { BusWorld, texts } from './bus-world.ts';
import type { BusFacts, BusKind } from './bus-world.ts';

/**
 * What every alert bus keeps, whatever it is made of. A bus may give each partition to one member of its group or to all
 * of them: the tests hold for both.
 */
export function describeBusContract(name: string, facts: BusFacts, start: () => Promise<BusKind>): void {
  describe(`${name} keeps the alert bus's contract`, { timeout: 4 * facts.waitMs }, () => {
    const world = new BusWorld(facts);
    let kind: BusKind;

    beforeAll(async () => {
      kind = await start();
      return () => kind.close();
    }, 4 * facts.waitMs);
    beforeEach(async () => {
      await world.open(kind);
      return () => world.close();
    }, 2 * facts.waitMs);

    describePublishing(world);
    if (facts.partitions > 1) describeSpreading(world);
    describeRange(world);
    describeReading(world);
    describePositions(world);
    describeEnds(world);
    describeDeadLetters(world);
  });
}

function describePublishing(w: BusWorld): void {
  describe('what was published', () => {
    test('is delivered byte for byte, with its signature, its place and the time when it got there', async () => {
      const sent = [
        { bytes: Buffer.from([0, 255, 254, 128, 10, 13]), signature: 'c2lnbmVk' },
        { bytes: Buffer.from('{"reason":"Grüße, 世界 🛑"}'), signature: null },
        { bytes: Buffer.alloc(0), signature: null },
        { bytes: Buffer.alloc(100_000, 'x'), signature: 'no base64 at all' },
      ];
      for (const { bytes, signature } of sent) await w.topic.publisher.publish(bytes, signature, 'one key');
      const one = await w.join();
      await w.until(() => expect(one.delivered.length).toBeGreaterThanOrEqual(sent.length));
      const came = one.delivered.slice(0, sent.length);
      expect(came.map(({ bytes, signature }) => ({ bytes: Buffer.from(bytes), signature }))).toEqual(sent);
      const { partition } = came[0] ?? fail();
      expect(came.map((message) => placeIn(message))).toEqual(
        [0, 1, 2, 3].map((position) => [w.topic.topic, partition, position]),
      );
      for (const { publishedAtMs } of came) expect(publishedAtMs).toBeGreaterThan(1_600_000_000_000);
    });

    test('is the same at each reading', async () => {
      await w.publish(texts('alert', 5));
      const [one, other] = [await w.join(), await w.join()];
      await w.until(() => expect(new Set([...one.bodies(), ...other.bodies()]).size).toBe(5));
      const first = [...one.delivered, ...other.delivered].filter(isFirst);
      for (const member of [one, other]) await member.close();
      const third = await w.join();
      await w.until(() => expect(third.bodies()).toHaveLength(5));
      expect(third.delivered.filter(isFirst).toSorted(byPosition)).toEqual(first.toSorted(byPosition));
    });

    test('keeps the order of its key, and so does what comes while somebody reads', async () => {
      const [before, meanwhile] = [texts('before', 120), texts('meanwhile', 30)];
      await w.publish(before);
      const one = await w.join();
      await w.publish(meanwhile);
      await w.until(() => expect(one.bodies()).toEqual([...before, ...meanwhile]));
      for (const { positions } of one.assignments) expect(positions.filter(isFirst)).toEqual(positions.toSorted(up));
    });
  });
}

function describeSpreading(w: BusWorld): void {
  describe('what was published with several keys', () => {
    test('is spread over the partitions, and each key stays in its own', async () => {
      const one = await w.join();
      const keys = Array.from({ length: 40 }, (_, number) => `key ${number}`);
      for (const key of keys) await w.publish([key, `${key} again`], key);
      await w.until(() => expect(one.bodies()).toHaveLength(80));
      const partitionOf = new Map(
        one.delivered.map(({ bytes, partition }) => [Buffer.from(bytes).toString(), partition]),
      );
      expect(new Set(partitionOf.values()).size).toBeGreaterThan(1);
      for (const key of keys) expect(partitionOf.get(`${key} again`)).toBe(partitionOf.get(key));
    });
  });
}

function describeRange(w: BusWorld): void {
  describe('the range of a partition', () => {
    test('is empty at first, and ends at the message that comes next', async () => {
      const { bus } = await w.handle();
      const all = Array.from({ length: w.facts.partitions }, (_, partition) => partition);
      for (const partition of all) expect(await bus.range(partition)).toMatchObject({ earliest: 0, end: 0 });
      await w.publish(texts('alert', 3));
      const ranges = await Promise.all(all.map((partition) => bus.range(partition)));
      expect(ranges.map(({ earliest }) => earliest)).toEqual(all.map(() => 0));
      expect(ranges.map(({ end }) => end).toSorted(up)).toEqual([...all.slice(1).map(() => 0), 3]);
    });

    test('begins at what is still there, and whoever wants what is gone is given what is there', async () => {
      await w.publish(texts('alert', 5));
      const { bus } = await w.handle();
      const partition = await filledPartition(w);
      await w.topic.forget(partition, 3);
      expect(await bus.range(partition)).toMatchObject({ earliest: 3, end: 5 });
      const one = await w.join({ start: () => 0 });
      await w.until(() => expect(one.bodies()).toEqual(['alert 3', 'alert 4']));
    });

    test('of a partition that is not there is refused', async () => {
      const { bus } = await w.handle();
      await expect(bus.range(w.facts.partitions)).rejects.toMatchObject({ code: 'BUS_PARTITION' });
    });
  });
}

function describeReading(w: BusWorld): void {
  describe('reading', () => {
    test('starts exactly where the member says, whatever was committed', async () => {
      await w.publish(texts('alert', 6));
      const partition = await filledPartition(w);
      const one = await w.join({ start: (of) => (of === partition ? 4 : 0) });
      await w.until(() => expect(one.bodies()).toEqual(['alert 4', 'alert 5']));
      await one.commit(partition, 6);
      await one.close();
      const again = await w.join({ start: (of) => (of === partition ? 2 : 0) });
      await w.until(() => expect(again.bodies()).toEqual(texts('alert', 6).slice(2)));
    });

    test('begins at the end with what comes next, and misses nothing that is published once the member has joined', async () => {
      await w.publish(texts('old', 3));
      const { bus } = await w.handle();
      const partition = await filledPartition(w);
      const { end } = await bus.range(partition);
      const one = await w.join({ bus, start: (of) => (of === partition ? end : 0) });
      await w.publish(texts('new', 3));
      await w.until(() => expect(one.bodies()).toEqual(texts('new', 3)));
    });

    test('waits for a member that is slow, and gives it one delivery at a time', async () => {
      const one = await w.join();
      let isHeldUp = true;
      one.onDeliver = () => (isHeldUp ? w.until(() => expect(isHeldUp).toBe(false)) : undefined);
      await w.publish(texts('first', 5));
      await w.until(() => expect(one.delivered.length).toBeGreaterThan(0));
      const already = one.delivered.length;
      await w.publish(texts('second', 150));
      expect(one.delivered).toHaveLength(already);
      isHeldUp = false;
      await w.until(() => expect(one.bodies()).toHaveLength(155));
      expect(one.mostAtOnce).toBe(1);
    });

    test('shows signs of life also when nothing comes', async () => {
      const one = await w.join();
      await w.until(() => expect(one.assignments.length).toBeGreaterThan(0));
      const before = one.signs;
      await w.until(() => expect(one.signs).toBeGreaterThan(before + 2));
      expect(one.losses).toEqual([]);
    });

    test('by two members misses nothing, however they share it', async () => {
      const [one, other] = [await w.join(), await w.join()];
      const sent = texts('alert', 60);
      for (const [number, text] of sent.entries()) await w.publish([text], `key ${number % 12}`);
      await w.until(() => expect(new Set([...one.bodies(), ...other.bodies()])).toEqual(new Set(sent)));
    });
  });
}

function describePositions(w: BusWorld): void {
  describe('what is committed', () => {
    test('is null at first, and then what a later member is told', async () => {
      await w.publish(texts('alert', 4));
      const partition = await filledPartition(w);
      const one = await w.join();
      await w.until(() => expect(one.bodies()).toHaveLength(4));
      expect(committedAt(one.assignments, partition)).toBeNull();
      await one.commit(partition, 3);
      await one.close();
      const next = await w.join();
      await w.until(() => expect(next.bodies()).toEqual(['alert 3']));
      expect(committedAt(next.assignments, partition)).toBe(3);
    });
  });
}

function describeEnds(w: BusWorld): void {
  describe('a member', () => {
    test('that closes is told of no loss, and another reads on', async () => {
      const one = await w.join();
      await w.publish(texts('before', 3));
      await w.until(() => expect(one.bodies()).toHaveLength(3));
      await one.close();
      const had = one.delivered.length;
      const other = await w.join();
      await w.publish(texts('after', 3));
      await w.until(() => expect(other.bodies()).toEqual([...texts('before', 3), ...texts('after', 3)]));
      expect([one.losses, one.delivered.length]).toEqual([[], had]);
    });

    test('that is killed leaves everything that it has not committed to the other', async () => {
      const doomed = await w.handle();
      const one = await w.join({ bus: doomed.bus });
      const other = await w.join();
      await w.publish(texts('before', 5));
      await w.until(() => expect(new Set([...one.bodies(), ...other.bodies()]).size).toBe(5));
      await Promise.all([doomed.kill(), one.close().catch(() => undefined)]);
      await w.publish(texts('after', 5));
      await w.until(() => expect(other.bodies()).toEqual([...texts('before', 5), ...texts('after', 5)]));
    });

    test('reads on after a restart of the bus, which loses nothing that it acknowledged', async () => {
      const one = await w.join();
      await w.publish(texts('before', 10));
      const partition = await filledPartition(w);
      await w.until(() => expect(one.bodies()).toHaveLength(10));
      await one.commit(partition, 10);
      const meanwhile = texts('meanwhile', 20);
      await Promise.all([w.publishStubbornly(meanwhile), w.topic.restart()]);
      await w.publishStubbornly(['after']);
      await w.until(() => expect(one.bodies()).toEqual([...texts('before', 10), ...meanwhile, 'after']));
      await one.close();
      const next = await w.join();
      await w.until(() => expect(next.bodies().length).toBeGreaterThan(0));
      expect(committedAt(next.assignments, partition)).toBe(10);
    });
  });
}

function describeDeadLetters(w: BusWorld): void {
  const keptAs = ({ code, why, message }: DeadLetter) => {
    const { topic, partition, position, signature, bytes } = message;
    return { code, why, topic, partition, position, signature, text: Buffer.from(bytes).toString() };
  };
  const letter = (message: Partial<BusMessage>, parts: Partial<DeadLetter> = {}): DeadLetter => {
    const where = { topic: w.topic.topic, partition: 0, position: 0, publishedAtMs: 1_700_000_000_000 };
    const whole = { ...where, bytes: Buffer.from('no JSON'), signature: null, ...message };
    return { message: whole, code: 'unreadable', why: 'it is no JSON', ...parts };
  };

  describe('a dead letter', () => {
    test('is kept with its reason, its bytes and where it came from', async () => {
      const { bus } = await w.handle();
      const letters = [
        letter({ position: 7, signature: 'c2lnbmVk' }),
        letter({ position: 8, bytes: Buffer.from('{"a":"世界"}') }, { code: 'forged', why: 'by nobody: "世界"\n' }),
      ];
      await bus.deadLetter(letters);
      const kept = await w.topic.deadLetters();
      expect(kept.map(keptAs).toSorted((one, next) => one.position - next.position)).toEqual(letters.map(keptAs));
    });

    test('may come again, and is kept at least once', async () => {
      const { bus } = await w.handle();
      for (const _ of [1, 2]) await bus.deadLetter([letter({ position: 1 })]);
      const kept = await w.topic.deadLetters();
      expect(new Set(kept.map(({ message }) => message.position))).toEqual(new Set([1]));
    });

    test('is one of many, and none of them is lost', async () => {
      const { bus } = await w.handle();
      await bus.deadLetter(Array.from({ length: 200 }, (_, position) => letter({ position })));
      const kept = await w.topic.deadLetters();
      expect(new Set(kept.map(({ message }) => message.position)).size).toBe(200);
    });

    test('may hold what no text can hold, and be larger than any alert', async () => {
      const { bus } = await w.handle();
      const large = Buffer.alloc(900_000, 'x');
      const odd = letter({ position: 1, bytes: Buffer.from([0, 255]) }, { why: 'found \u0000 and \ud800' });
      await bus.deadLetter([odd, letter({ position: 2, bytes: large }), letter({ position: 3, bytes: Buffer.of() })]);
      const kept = new Map((await w.topic.deadLetters()).map(({ message }) => [message.position, message.bytes]));
      expect([...kept.keys()].toSorted(up)).toEqual([1, 2, 3]);
      expect(Buffer.from(kept.get(1) ?? []).equals(Buffer.from([0, 255]))).toBe(true);
      // What is larger than any alert may be cut.
      expect(kept.get(2)?.byteLength).toBeGreaterThanOrEqual(65_536);
    });
  });
}

/** The partition that has messages; there must be one. */
async function filledPartition(w: BusWorld): Promise<number> {
  const { bus } = await w.handle();
  for (let partition = 0; partition < w.facts.partitions; partition += 1) {
    if ((await bus.range(partition)).end > 0) return partition;
  }
  throw new Error('no partition has messages');
}

function committedAt(
  assignments: readonly { readonly partition: number; readonly committed: number | null }[],
  partition: number,
): number | null | undefined {
  return assignments.find((assignment) => assignment.partition === partition)?.committed;
}

function placeIn({ topic, partition, position }: BusMessage): readonly [string, number, number] {
  return [topic, partition, position];
}

/** For `filter`: a number, or a message's position, is there for the first time. */
function isFirst<T extends number | BusMessage>(one: T, at: number, all: readonly T[]): boolean {
  const key = (given: T): string => (typeof given === 'number' ? `${given}` : `${given.partition}/${given.position}`);
  return all.findIndex((other) => key(other) === key(one)) === at;
}

function byPosition(one: BusMessage, other: BusMessage): number {
  return one.partition - other.partition || one.position - other.position;
}

function up(one: number, other: number): number {
  return one - other;
}

function fail(): never {
  throw new Error('nothing came');
}
