import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TripAnswer } from '../../../src/alerts/alert-store.ts';
import { canonicalText, parseFlip } from '../../../src/flip-text.ts';
import { releaseText, stopText } from '../store/samples.ts';
import { AlertStoreWorld, TOPIC } from './alert-store-world.ts';
import type { AlertStoreKind } from './alert-store-world.ts';

const DAY_MS = 86_400_000;

/** What every alert store keeps, whatever it is made of (DESIGN §3.14). */
export function describeAlertStoreContract(name: string, start: () => Promise<AlertStoreKind>): void {
  describe(`${name} keeps the alert store's contract`, () => {
    const world = new AlertStoreWorld();
    let kind: AlertStoreKind;

    beforeAll(async () => {
      kind = await start();
      return () => kind.close();
    });
    beforeEach(async () => {
      await world.open(kind);
      return () => world.close();
    });

    describePlacing(world);
    describeStops(world);
    describeBatches(world);
    describePosition(world);
    describeRepeats(world);
    describeStale(world);
    describeEarlyStops(world);
    describeRefusals(world);
    describeBadStops(world);
  });
}

function describePlacing(w: AlertStoreWorld): void {
  describe('a partition', () => {
    test('has no position until it is placed, and then the same for everybody', async () => {
      expect(await w.position()).toBeNull();
      expect(await w.one.alerts.place(TOPIC, 0, null, 7, 'placed for the first time')).toBe(7);
      expect(await w.position()).toBe(7);
      expect(await w.gaps()).toEqual([{ topic: TOPIC, from: null, to: 7, why: 'placed for the first time' }]);
    });

    test('is placed once: who comes second is told where it stands', async () => {
      const places = await Promise.all(
        [w.one, w.other, w.one].map(({ alerts }, place) => alerts.place(TOPIC, 0, null, 10 + place, `by ${place}`)),
      );
      expect(new Set(places).size).toBe(1);
      expect(await w.position()).toBe(places[0]);
      expect(await w.gaps()).toHaveLength(1);
    });

    test('is moved past a gap only from where it stands, and the gap goes on record with its reason', async () => {
      await w.placed();
      expect(await w.one.alerts.place(TOPIC, 0, 3, 9, 'not from there')).toBe(0);
      expect(await w.one.alerts.place(TOPIC, 0, 0, 9, 'gone')).toBe(9);
      expect(await w.other.alerts.place(TOPIC, 0, 0, 9, 'gone')).toBe(9);
      expect((await w.gaps()).map(({ from, to, why }) => [from, to, why])).toEqual([
        [null, 0, 'placed for the first time'],
        [0, 9, 'gone'],
      ]);
    });

    test('is apart from others of its topic, and from those of other topics', async () => {
      await w.placed();
      await w.one.alerts.place(TOPIC, 1, null, 5, 'first');
      await w.one.alerts.place('other', 0, null, 6, 'first');
      await w.trip(0);
      const { alerts } = w.other;
      expect(
        await Promise.all([alerts.position(TOPIC, 0), alerts.position(TOPIC, 1), alerts.position('other', 0)]),
      ).toEqual([1, 5, 6]);
    });
  });
}

function describeStops(w: AlertStoreWorld): void {
  describe('the stop of an alert', () => {
    test('is a flip like any other, in the same statement as the record and the position', async () => {
      await w.placed();
      const heard: unknown[] = [];
      await w.other.flips.listen(
        (record) => heard.push(record),
        () => undefined,
      );
      const trip = w.tripOf();
      const answer = await w.one.alerts.trip(w.place(0), trip, 'c2lnbmVk');
      const { head } = await w.other.flips.load();
      expect(answer).toMatchObject({
        ...{ kind: 'flip', isOpen: true, position: 1, head },
        record: { revision: 1, text: trip.text, signature: 'c2lnbmVk', epoch: head.epoch, hash: head.hash },
      });
      expect(await w.openTargets()).toEqual(['acme']);
      expect(await w.records()).toMatchObject([{ position: 0, kind: 'flip', flipId: trip.flipId, code: null }]);
      await expect.poll(() => heard, { timeout: 10_000 }).toHaveLength(1);
    });

    test('keeps its name from any other flip', async () => {
      await w.placed();
      await w.trip(0);
      const same = parseFlip(w.tripOf().text);
      const forged = canonicalText({ ...same, reason: 'forged' });
      await expect(w.one.control.flip(forged, null)).rejects.toMatchObject({ code: 'FLIP_ID_REUSED' });
    });

    test('is made once by several executors that read the same alerts at the same time', async () => {
      await w.placed();
      const positions = Array.from({ length: 25 }, (_, position) => position);
      const answers = await Promise.all(
        [w.one, w.other].flatMap((by) => positions.map((at) => w.trip(at, { id: `id ${at}`, observed: 99 }, by))),
      );
      expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['flip']));
      expect(await w.openTargets()).toHaveLength(25);
      expect(await w.kinds()).toEqual(positions.map((at) => `${at} flip`));
      expect(await w.position()).toBe(25);
    });
  });
}

function describeBatches(w: AlertStoreWorld): void {
  const offer = (position: number, wish: Parameters<AlertStoreWorld['tripOf']>[0] = {}) => {
    return { place: w.place(position), trip: w.tripOf(wish), signature: null };
  };

  describe('the stops of several alerts', () => {
    test('are recorded in one statement, each as if it had come by itself, in their order', async () => {
      await w.placed();
      const answers = await w.one.alerts.trips([
        offer(0, { id: 'a' }),
        offer(1, { id: 'b' }),
        offer(2, { id: 'a' }),
        offer(4, { id: 'c' }),
      ]);
      expect(answers).toMatchObject([
        { kind: 'flip', record: { revision: 1 }, position: 1 },
        { kind: 'flip', record: { revision: 2 }, position: 2 },
        { kind: 'duplicate', record: { revision: 1 }, position: 3 },
        { kind: 'flip', record: { revision: 3 }, position: 3 },
      ]);
      expect(await w.kinds()).toEqual(['0 flip', '1 flip', '2 duplicate', '4 flip']);
    });

    test('may be stale, or poison by their id, among others', async () => {
      await w.placed();
      await w.trip(0, { id: 'first', content: 'one' });
      await w.release({ id: 'first', content: 'one' });
      const answers = await w.one.alerts.trips([
        offer(1, { id: 'old', observed: 1 }),
        offer(2, { id: 'first', content: 'other' }),
        offer(3, { id: 'new', observed: 2 }),
      ]);
      expect(answers).toMatchObject([
        { kind: 'stale', revision: 2 },
        { kind: 'reused' },
        { kind: 'flip', isOpen: true },
      ]);
      expect(await w.kinds()).toEqual(['0 flip', '1 stale', '3 flip']);
    });

    test('are none of them recorded when one of them is none', async () => {
      await w.placed();
      const good = offer(0, { id: 'a' });
      const bad = { ...offer(1, { id: 'b' }), trip: { ...w.tripOf({ id: 'b' }), flipId: 'another' } };
      await expect(w.one.alerts.trips([good, bad])).rejects.toMatchObject({ code: 'FLIP_UNREADABLE' });
      expect(await w.kinds()).toEqual([]);
      expect(await w.openTargets()).toEqual([]);
      expect(await w.position()).toBe(0);
      expect(await w.one.alerts.trips([])).toEqual([]);
    });

    test('are made once by several executors that read the same alerts at the same time', async () => {
      await w.placed();
      const all = Array.from({ length: 40 }, (_, at) => offer(at, { id: `id ${at}`, observed: 99 }));
      const answers = await Promise.all([
        w.one.alerts.trips(all.slice(0, 20)),
        w.other.alerts.trips(all.slice(0, 20)),
        w.other.alerts.trips(all.slice(20)),
        w.one.alerts.trips(all.slice(20)),
      ]);
      expect(new Set(answers.flat().map(({ kind }) => kind))).toEqual(new Set(['flip']));
      expect(await w.openTargets()).toHaveLength(40);
      expect(await w.kinds()).toHaveLength(40);
    });
  });
}

function describePosition(w: AlertStoreWorld): void {
  describe('the position', () => {
    test('moves from an alert to the next, and by no other way: a stop before its turn is durable and stays there', async () => {
      await w.placed();
      expect(await w.trip(2, { id: 'c' })).toMatchObject({ kind: 'flip', position: 0 });
      expect(await w.trip(1, { id: 'b' })).toMatchObject({ kind: 'flip', position: 0 });
      expect(await w.openTargets()).toHaveLength(2);
      expect(await w.trip(0, { id: 'a' })).toMatchObject({ position: 1 });
      expect(await w.trip(1, { id: 'b' })).toMatchObject({ kind: 'flip', position: 2 });
      expect(await w.trip(2, { id: 'c' })).toMatchObject({ kind: 'flip', position: 3 });
      expect(await w.trip(0, { id: 'a' })).toMatchObject({ kind: 'flip', position: 3 });
      expect(await w.kinds()).toEqual(['0 flip', '1 flip', '2 flip']);
    });

    test("is nobody's to move where the partition was never placed, and the stop is durable all the same", async () => {
      expect(await w.trip(0)).toMatchObject({ kind: 'flip', position: null, isOpen: true });
      expect(await w.one.alerts.refuse([w.refusal(1)])).toBeNull();
      expect([await w.position(), await w.openTargets()]).toEqual([null, ['acme']]);
    });
  });
}

function describeRepeats(w: AlertStoreWorld): void {
  describe('an alert that comes again', () => {
    test('at its place is answered as the first time, also after its release', async () => {
      await w.placed();
      const first = await w.trip(0);
      const again = await w.trip(0, {}, w.other);
      expect(again).toMatchObject({ kind: 'flip', isOpen: true, position: 1 });
      expect(recordOf(again)).toEqual(recordOf(first));
      await w.release({});
      const last = await w.trip(0);
      expect(last).toMatchObject({ kind: 'flip', isOpen: false });
      expect(recordOf(last)).toEqual(recordOf(first));
      expect(await w.kinds()).toEqual(['0 flip']);
    });

    test('at another place is a duplicate, whatever was released, and moves the position', async () => {
      await w.placed();
      const first = await w.trip(0);
      expect(await w.trip(1)).toMatchObject({ kind: 'duplicate', isOpen: true, position: 2 });
      await w.release({});
      const third = await w.trip(2);
      expect(third).toMatchObject({ kind: 'duplicate', isOpen: false, position: 3 });
      expect(recordOf(third)).toEqual(recordOf(first));
      expect(await w.kinds()).toEqual(['0 flip', '1 duplicate', '2 duplicate']);
      expect(await w.openTargets()).toEqual([]);
    });

    test('with other content under its id is not recorded, and stops nothing', async () => {
      await w.placed();
      await w.trip(0);
      expect(await w.trip(1, { content: 'other' })).toMatchObject({ kind: 'reused', position: 1 });
      expect(await w.kinds()).toEqual(['0 flip']);
      expect((await w.one.flips.load()).head.revision).toBe(1);
      expect(await w.trip(1, { content: 'other', detector: 'cost' })).toMatchObject({ kind: 'flip' });
    });

    test('at the place of another in a topic that was made anew is on record beside it', async () => {
      await w.placed();
      await w.trip(0);
      await w.one.alerts.place(TOPIC, 0, 1, 0, 'made anew');
      const anew = await w.one.alerts.trip(w.place(0, 'another'), w.tripOf({ id: 'b' }), null);
      expect(anew).toMatchObject({ kind: 'flip', position: 1 });
      expect(await w.kinds()).toEqual(['0 flip', '0 flip']);
    });

    test("from an executor with another queue policy has the first one's flip", async () => {
      await w.placed();
      const first = await w.trip(0);
      const trip = w.tripOf();
      const flip = parseFlip(trip.text);
      const parks = { ...trip, text: canonicalText({ ...flip, ...{ queue: 'park' } }) };
      const second = await w.other.alerts.trip(w.place(1), parks, null);
      expect(second).toMatchObject({ kind: 'duplicate', position: 2 });
      expect(recordOf(second)).toEqual(recordOf(first));
    });
  });
}

function describeStale(w: AlertStoreWorld): void {
  describe('an alert is stale', () => {
    beforeEach(async () => {
      await w.placed();
      await w.trip(0, { id: 'first' });
      await w.release({ id: 'first' }); // at revision 2
    });

    test('if a release after what its detector saw closed a stop of the same detector on the same switch', async () => {
      expect(await w.trip(1, { id: 'saw 1', observed: 1 })).toMatchObject({ kind: 'stale', revision: 2, position: 2 });
      expect(await w.trip(2, { id: 'saw 2', observed: 2 })).toMatchObject({ kind: 'flip', position: 3 });
      expect(await w.records()).toMatchObject([
        { position: 0, kind: 'flip' },
        { position: 1, kind: 'stale', flipId: w.tripOf({ id: 'saw 1' }).flipId, why: 'closed at revision 2' },
        { position: 2, kind: 'flip' },
      ]);
    });

    test('by the clock where its detector saw no revision', async () => {
      const now = Date.now();
      expect(await w.trip(1, { id: 'old', raisedMs: now - DAY_MS })).toMatchObject({ kind: 'stale', revision: 2 });
      expect(await w.trip(2, { id: 'new', raisedMs: now + DAY_MS })).toMatchObject({ kind: 'flip' });
    });

    test("not if the release closed another's stop, another switch's, or an operator's", async () => {
      expect(await w.trip(1, { id: 'other detector', detector: 'cost' })).toMatchObject({ kind: 'flip' });
      expect(await w.trip(2, { id: 'other target', target: 'beta' })).toMatchObject({ kind: 'flip' });
      const operators = { id: 'by hand', scope: 'tenant', target: 'gamma' } as const;
      await w.one.control.flip(stopText(w.namespace, operators), null);
      await w.one.control.flip(releaseText(w.namespace, ['by hand']), null);
      expect(await w.trip(3, { id: 'same switch', target: 'gamma' })).toMatchObject({ kind: 'flip' });
    });

    test('the same each time it is asked about, and an alert that is a stop stays one', async () => {
      await w.trip(1, { id: 'late', observed: 1 });
      expect(await w.trip(1, { id: 'late', observed: 1 })).toMatchObject({ kind: 'stale', revision: 2, position: 2 });
      expect(await w.trip(2, { id: 'late', observed: 1 })).toMatchObject({ kind: 'stale', revision: 2, position: 3 });
      expect(await w.trip(0, { id: 'first' })).toMatchObject({ kind: 'flip', isOpen: false });
      expect(await w.openTargets()).toEqual([]);
    });

    test('by the last of several releases', async () => {
      await w.trip(1, { id: 'second', observed: 2 }); // opened at 3
      await w.release({ id: 'second' }); // closed at 4
      expect(await w.trip(2, { id: 'late', observed: 2 })).toMatchObject({ kind: 'stale', revision: 4 });
    });
  });
}

function describeEarlyStops(w: AlertStoreWorld): void {
  describe('a stop that somebody holds early', () => {
    beforeEach(() => w.placed());
    const relay = (wish: Parameters<AlertStoreWorld['tripOf']>[0]) => w.other.flips.relay(w.tripOf(wish).text, null);

    test('is closed once the store has called its alert stale', async () => {
      await w.trip(0, { id: 'first' });
      await w.release({ id: 'first' });
      await w.trip(1, { id: 'late', observed: 1 });
      expect(await relay({ id: 'late' })).toMatchObject({ kind: 'closed' });
      expect((await w.one.flips.load()).head.revision).toBe(2);
    });

    test('is closed once its alert is recorded as poison', async () => {
      await w.trip(0, { id: 'used' });
      const wish = { id: 'used', content: 'other' };
      await w.one.alerts.refuse([w.refusal(1, { code: 'reused-id', flipId: w.tripOf(wish).flipId })]);
      expect(await relay(wish)).toMatchObject({ kind: 'closed' });
      expect(await w.openTargets()).toHaveLength(1);
    });

    test('is a stop if its relay was first', async () => {
      expect(await relay({ id: 'early' })).toMatchObject({ kind: 'open', revision: 1 });
      expect(await w.trip(0, { id: 'early' })).toMatchObject({ kind: 'flip', isOpen: true, position: 1 });
      expect(await w.kinds()).toEqual(['0 flip']);
      expect((await w.one.flips.load()).head.revision).toBe(1);
    });

    test("is open for who relays it after the alert's own record", async () => {
      await w.trip(0);
      expect(await relay({})).toMatchObject({ kind: 'open', revision: 1 });
      await w.release({});
      expect(await relay({})).toMatchObject({ kind: 'closed', revision: 1 });
    });
  });
}

function describeRefusals(w: AlertStoreWorld): void {
  describe('alerts that come to no stop', () => {
    test('go on record in order, and the position passes them', async () => {
      await w.placed();
      const given = [w.refusal(0), w.refusal(1, { kind: 'expired', code: 'expired', why: 'too late' }), w.refusal(2)];
      expect(await w.one.alerts.refuse(given)).toBe(3);
      expect((await w.records()).map(({ position, kind, code, why }) => [position, kind, code, why])).toEqual([
        [0, 'poison', 'unreadable', 'it is no JSON'],
        [1, 'expired', 'expired', 'too late'],
        [2, 'poison', 'unreadable', 'it is no JSON'],
      ]);
    });

    test('leave the position where it is as long as something before them is missing', async () => {
      await w.placed();
      expect(await w.one.alerts.refuse([w.refusal(1), w.refusal(2)])).toBe(0);
      expect(await w.other.alerts.refuse([w.refusal(0), w.refusal(1), w.refusal(2)])).toBe(3);
      expect(await w.kinds()).toEqual(['0 poison', '1 poison', '2 poison']);
    });

    test('may give reasons that no text can hold', async () => {
      await w.placed();
      const why = `found \u0000 and \ud800 and ${'x'.repeat(5_000)}`;
      expect(await w.one.alerts.refuse([w.refusal(0, { why })])).toBe(1);
      expect((await w.records())[0]?.why).toMatch(/^found . and . and x+$/u);
    });

    test('are none where none are given', async () => {
      await w.placed();
      expect(await w.one.alerts.refuse([])).toBeNull();
      expect(await w.kinds()).toEqual([]);
    });

    test('yield to a stop that another executor made of the same alert', async () => {
      await w.placed();
      await w.trip(0);
      expect(await w.other.alerts.refuse([w.refusal(0, { kind: 'expired' })])).toBe(1);
      expect([await w.kinds(), await w.openTargets()]).toEqual([['0 flip'], ['acme']]);
    });
  });
}

function describeBadStops(w: AlertStoreWorld): void {
  describe('a stop that is none', () => {
    const asked = (text: string) => w.one.alerts.trip(w.place(0), { ...w.tripOf(), text }, null);

    test('is refused, and nothing is recorded', async () => {
      await w.placed();
      const flip = parseFlip(w.tripOf().text);
      const release = releaseText(w.namespace, ['x'], { id: flip.id, triggeredBy: flip.triggeredBy });
      const refused: readonly (readonly [text: string, code: string])[] = [
        ['no JSON', 'FLIP_UNREADABLE'],
        [canonicalText({ ...flip, namespace: 'elsewhere' }), 'FLIP_NAMESPACE'],
        [canonicalText({ ...flip, id: 'of another' }), 'FLIP_UNREADABLE'],
        [canonicalText({ ...flip, triggeredBy: 'somebody else' }), 'FLIP_UNREADABLE'],
        [release, 'FLIP_UNREADABLE'],
      ];
      for (const [text, code] of refused) await expect(asked(text), text).rejects.toMatchObject({ code });
      expect([await w.kinds(), await w.position(), await w.openTargets()]).toEqual([[], 0, []]);
    });
  });
}

function recordOf(answer: TripAnswer): unknown {
  return 'record' in answer ? answer.record : null;
}
