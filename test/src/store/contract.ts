import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { chainHash } from '../../../src/flip-chain.ts';
import type {
  Fence,
  FenceAnswer,
  FlipRecord,
  FlipSource,
  FlipStore,
  Head,
  OutcomeSink,
  TaskQueue,
} from '../../../src/store/store.ts';
import { releaseText, sampleIntent, sampleTask, stopText } from './samples.ts';

/** Everything that one process holds of a store. */
export interface StoreHandles {
  readonly flips: FlipSource;
  readonly fence: Fence;
  readonly outcomes: OutcomeSink;
  readonly tasks: TaskQueue;
  readonly control: FlipStore;
  close(): Promise<void>;
}

/** A kind of store. Each world is a namespace of its own, and each handle on it stands for another process. */
export interface StoreKind {
  openWorld(namespace: string): Promise<StoreWorld>;
  close(): Promise<void>;
}

export interface StoreWorld {
  open(options?: { readonly minimumAgeMs: number }): Promise<StoreHandles>;
}

const CLAIM_MS = 60_000;
const WAIT = { timeout: 10_000, interval: 5 };

/** What every store keeps, whatever it is made of. */
export function describeStoreContract(name: string, start: () => Promise<StoreKind>): void {
  describe(`${name} keeps the store's contract`, () => {
    let kind: StoreKind;
    let world: StoreWorld;
    let namespace: string;
    let one: StoreHandles;
    let other: StoreHandles;

    beforeAll(async () => {
      kind = await start();
      return () => kind.close();
    });
    beforeEach(async () => {
      namespace = `ns-${randomUUID()}`;
      world = await kind.openWorld(namespace);
      [one, other] = [await world.open(), await world.open()];
      return async () => {
        await one.close();
        await other.close();
      };
    });

    const stop = (parts: Parameters<typeof stopText>[1] = {}) => one.control.flip(stopText(namespace, parts), null);
    const release = (...ids: readonly string[]) => one.control.flip(releaseText(namespace, ids), null);
    const head = async (): Promise<Head> => (await one.flips.load()).head;
    const enqueue = async (...tasks: readonly Parameters<typeof sampleTask>[]) =>
      expect(
        (
          await one.fence.enqueue(
            await head(),
            tasks.map((task) => sampleTask(...task)),
          )
        ).kind,
      ).toBe('admitted');
    const claimIds = async (limit = 10) => (await one.tasks.claim('me', limit, CLAIM_MS)).map(({ id }) => id);
    /** Claims with a deadline that is over at once, then waits until a later claim has looked at it again. */
    const expire = async <T>(look: () => Promise<T | undefined>): Promise<T> =>
      vi.waitFor(async () => {
        const found = await look();
        if (found === undefined) throw new Error('the claim is not over yet');
        return found;
      }, WAIT);

    describe('flips', () => {
      test('get revisions without gaps and hashes that chain', async () => {
        const start = await head();
        expect(start).toMatchObject({ revision: 0, hash: '' });
        const texts = [stopText(namespace, { reason: 'Grüße, 世界 🛑 "quoted" \\ \n' }), stopText(namespace)];
        const first = await one.control.flip(texts[0] ?? '', 'c2lnbmVk');
        const second = await other.control.flip(texts[1] ?? '', null);
        expect(first.record).toEqual({
          epoch: start.epoch,
          revision: 1,
          hash: chainHash('', start.epoch, 1, texts[0] ?? ''),
          text: texts[0],
          signature: 'c2lnbmVk',
        });
        expect(second.record).toMatchObject({
          revision: 2,
          hash: chainHash(first.record.hash, start.epoch, 2, texts[1] ?? ''),
        });
        expect(second.head).toEqual({ epoch: start.epoch, revision: 2, hash: second.record.hash });
      });

      test('of two processes at once are all kept, one after another', async () => {
        const texts = Array.from({ length: 24 }, () => stopText(namespace));
        const answers = await Promise.all(
          texts.map((text, index) => (index % 2 ? one : other).control.flip(text, null)),
        );
        expect(answers.map(({ record }) => record.revision).toSorted((a, b) => a - b)).toEqual(
          texts.map((_, index) => index + 1),
        );
        const { open, head: last } = await other.flips.load();
        expect(open.map(({ revision }) => revision)).toEqual(texts.map((_, index) => index + 1));
        let hash = '';
        for (const record of open)
          expect(record.hash).toBe((hash = chainHash(hash, record.epoch, record.revision, record.text)));
        expect(last.hash).toBe(hash);
      });

      test('given twice yield the first answer, also after others', async () => {
        const text = stopText(namespace);
        const first = await one.control.flip(text, 'first');
        await stop();
        const again = await other.control.flip(text, 'second');
        expect(again.record).toEqual(first.record);
        expect(again.head.revision).toBe(2);
      });

      test('with a used id and another text are refused', async () => {
        await stop({ id: 'once' });
        await expect(stop({ id: 'once', reason: 'another' })).rejects.toMatchObject({
          code: 'FLIP_ID_REUSED',
          message: expect.stringContaining("'once'"),
        });
        await expect(
          other.flips.relay(stopText(namespace, { id: 'once', reason: 'third' }), null),
        ).rejects.toMatchObject({ code: 'FLIP_ID_REUSED' });
        expect((await head()).revision).toBe(1);
      });

      test('of another namespace, and what is no flip, are refused', async () => {
        await expect(one.control.flip(stopText('elsewhere'), null)).rejects.toMatchObject({
          code: 'FLIP_NAMESPACE',
          message: expect.stringContaining("'elsewhere'"),
        });
        await expect(one.flips.relay(stopText('elsewhere'), null)).rejects.toMatchObject({ code: 'FLIP_NAMESPACE' });
        await expect(one.control.flip('{"kind":"stop"', null)).rejects.toMatchObject({ code: 'FLIP_UNREADABLE' });
        await expect(one.control.flip('{"kind":"stop"}', null)).rejects.toMatchObject({ code: 'FLIP_UNREADABLE' });
        expect((await head()).revision).toBe(0);
      });

      test('that release close the engagements that they name and no other', async () => {
        await stop({ id: 'a' });
        await stop({ id: 'b' });
        await stop({ id: 'c' });
        await release('a', 'c');
        expect((await one.control.openEngagements()).map(({ revision, flip }) => [revision, flip.id])).toEqual([
          [2, 'b'],
        ]);
        expect((await other.flips.load()).open.map(({ revision }) => revision)).toEqual([2]);
      });

      test('that release what is not open are refused and named, and change nothing', async () => {
        await stop({ id: 'a' });
        await stop({ id: 'b' });
        await release('a');
        const refused = expect.objectContaining({
          code: 'ENGAGEMENT_NOT_OPEN',
          message: expect.stringMatching(/'a' \(closed at revision 3\), 'never' \(unknown\)/),
        });
        await expect(release('never', 'b', 'a')).rejects.toEqual(refused);
        expect((await head()).revision).toBe(3);
        expect((await one.control.openEngagements()).map(({ flip }) => flip.id)).toEqual(['b']);
      });
    });

    describe('the registry plane', () => {
      test('answers with the flips after a head that is part of its history', async () => {
        const start = await head();
        const first = await stop();
        const second = await stop();
        expect(await other.flips.flipsAfter(start)).toMatchObject({
          kind: 'flips',
          flips: [first.record, second.record],
        });
        expect(await other.flips.flipsAfter(first.head)).toMatchObject({
          kind: 'flips',
          flips: [second.record],
          head: second.head,
        });
        expect(await other.flips.flipsAfter(second.head)).toMatchObject({
          kind: 'flips',
          flips: [],
          head: second.head,
        });
      });

      test('says that a head is of another history', async () => {
        const { head: first } = await stop();
        await stop();
        const others: readonly Head[] = [
          { ...first, epoch: 'other' },
          { ...first, hash: 'other' },
          { ...first, revision: 2 },
          { ...first, revision: 3 },
          { ...first, revision: 0 },
          { ...first, revision: -1, hash: '' },
        ];
        for (const wrong of others)
          expect(await other.flips.flipsAfter(wrong)).toMatchObject({ kind: 'diverged', head: { revision: 2 } });
      });

      test('takes a stop that somebody already holds, once', async () => {
        const text = stopText(namespace, { id: 'early' });
        expect(await one.flips.relay(text, 'sig')).toMatchObject({ kind: 'open', revision: 1 });
        expect(await other.flips.relay(text, 'sig')).toMatchObject({
          kind: 'open',
          revision: 1,
          head: { revision: 1 },
        });
        expect((await other.flips.load()).open).toMatchObject([{ text, signature: 'sig' }]);
      });

      test('says of a relayed stop that it was closed since', async () => {
        const text = stopText(namespace, { id: 'early' });
        await one.control.flip(text, null);
        await release('early');
        expect(await other.flips.relay(text, null)).toMatchObject({
          kind: 'closed',
          revision: 1,
          head: { revision: 2 },
        });
      });

      test('relays no release', async () => {
        await stop({ id: 'a' });
        await expect(one.flips.relay(releaseText(namespace, ['a']), null)).rejects.toMatchObject({
          code: 'RELAY_REFUSED',
        });
        expect((await one.flips.load()).open).toHaveLength(1);
      });

      test('tells every listener of each flip, and a closed one no more', async () => {
        const heard: (FlipRecord | null)[][] = [[], []];
        const lost = vi.fn();
        const subscriptions = [
          await one.flips.listen((record) => heard[0]?.push(record), lost),
          await other.flips.listen((record) => heard[1]?.push(record), lost),
        ];
        const { record } = await stop();
        await vi.waitFor(() => expect(heard).toEqual([[record], [record]]), WAIT);
        await subscriptions[0]?.close();
        await stop();
        await vi.waitFor(() => expect(heard[1]).toHaveLength(2), WAIT);
        expect(heard[0]).toHaveLength(1);
        expect(lost).not.toHaveBeenCalled();
      });
    });

    describe('the fence', () => {
      const admit = (at: Head, ...seqs: readonly number[]): Promise<FenceAnswer> =>
        one.fence.admitIntents(
          `me-${namespace}`,
          at,
          seqs.map((seq) => sampleIntent(seq, { lineage: ['"parent"', 'a\\b', '{,}', ''] })),
        );

      test('admits intents and tasks at the head', async () => {
        expect(await admit(await head(), 1, 2)).toMatchObject({ kind: 'admitted', disowned: [] });
        await stop();
        expect(await admit(await head(), 3)).toMatchObject({ kind: 'admitted', head: { revision: 1 } });
        expect(await one.fence.enqueue(await head(), [sampleTask('t')])).toMatchObject({
          kind: 'admitted',
          disowned: [],
        });
      });

      test('answers a registry that is behind with the flips in between, and admits nothing', async () => {
        const start = await head();
        const { record } = await other.control.flip(stopText(namespace), null);
        expect(await admit(start, 1)).toMatchObject({ kind: 'stale', flips: [record], head: { revision: 1 } });
        expect(await one.fence.enqueue(start, [sampleTask('t', { tenant: 'spared' })])).toMatchObject({
          kind: 'stale',
          flips: [record],
        });
        expect(await claimIds()).toEqual([]);
        expect(await admit(await head(), 1)).toMatchObject({ kind: 'admitted' });
      });

      test('turns away a registry of another history', async () => {
        const { head: at } = await stop();
        for (const wrong of [
          { ...at, epoch: 'x' },
          { ...at, hash: 'x' },
          { ...at, revision: 2 },
        ]) {
          expect(await admit(wrong, 1)).toMatchObject({ kind: 'diverged', head: at });
          expect(await one.fence.enqueue(wrong, [sampleTask('t')])).toMatchObject({ kind: 'diverged' });
        }
        expect(await admit(at, 1)).toMatchObject({ kind: 'admitted' });
      });

      test('admits nothing while the store has not been up for long enough', async () => {
        const cautious = await world.open({ minimumAgeMs: 1e12 });
        try {
          const at = await head();
          const answer = await cautious.fence.admitIntents('me', at, [sampleIntent(1)]);
          expect(answer).toMatchObject({ kind: 'young', head: at });
          expect(answer.ageMs).toBeGreaterThan(0);
          expect(await cautious.fence.enqueue(at, [sampleTask('t')])).toMatchObject({ kind: 'young' });
          expect(await claimIds()).toEqual([]);
        } finally {
          await cautious.close();
        }
      });

      test('refuses a number that was admitted before, with its whole batch', async () => {
        await admit(await head(), 1);
        await expect(admit(await head(), 2, 1)).rejects.toMatchObject({ code: 'INTENT_REPEATED' });
        expect(await admit(await head(), 2)).toMatchObject({ kind: 'admitted' });
      });

      test("disowns the intents whose claim is not the claimant's, and admits the others of the batch", async () => {
        await enqueue(['t1'], ['t2']);
        const [first, second] = await one.tasks.claim('me', 2, CLAIM_MS);
        const mine = { task: 't1', token: first?.token ?? '' };
        const done = { task: 't2', token: second?.token ?? '' };
        await one.tasks.finish(done, 'done');
        const claims = [
          mine,
          done,
          { task: 't1', token: done.token },
          { task: 'none', token: mine.token },
          { task: 't1', token: 'junk' },
          null,
        ];
        const intents = claims.map((claim, index) => sampleIntent(index + 1, { claim }));
        const answer = await one.fence.admitIntents(`claims-${namespace}`, await head(), intents);
        expect(answer).toMatchObject({ kind: 'admitted', disowned: [2, 3, 4, 5] });
      });
    });

    describe('the queue', () => {
      test('hands each task to one claimant, oldest first, with all that was given', async () => {
        const plan = { steps: [1, 'zwei', null, { deep: [true] }] };
        await enqueue(['t1', { plan, lineage: ['root', 'parent'], tenant: null, feature: null }], ['t2'], ['t3']);
        const [mine, theirs] = await Promise.all([
          one.tasks.claim('me', 1, CLAIM_MS),
          other.tasks.claim('they', 1, CLAIM_MS),
        ]);
        const rest = await one.tasks.claim('me', 10, CLAIM_MS);
        const all = [...mine, ...theirs, ...rest];
        expect(all.map(({ id }) => id).toSorted()).toEqual(['t1', 't2', 't3']);
        expect(all.find(({ id }) => id === 't1')).toEqual({
          ...{ id: 't1', token: expect.any(String), run: 't1', tenant: null, feature: null, agent: 'agent-1' },
          ...{ lineage: ['root', 'parent'], plan, attempts: 0 },
        });
        expect(new Set(all.map(({ token }) => token)).size).toBe(3);
        expect(await claimIds()).toEqual([]);
      });

      test('leaves a task that is there already as it is', async () => {
        await enqueue(['t1', { agent: 'first' }]);
        await enqueue(['t1', { agent: 'second' }]);
        expect(await one.tasks.claim('me', 10, CLAIM_MS)).toMatchObject([{ id: 't1', agent: 'first' }]);
      });

      test('ends a task for its claimant only, once', async () => {
        await enqueue(['t1']);
        const [task] = await one.tasks.claim('me', 1, CLAIM_MS);
        const claim = { task: 't1', token: task?.token ?? '' };
        expect(await other.tasks.finish({ ...claim, token: 'junk' }, 'done')).toBe(false);
        expect(await one.tasks.finish({ task: 'none', token: claim.token }, 'done')).toBe(false);
        expect(await one.tasks.finish(claim, 'failed')).toBe(true);
        expect(await one.tasks.finish(claim, 'done')).toBe(false);
        expect(await one.tasks.giveBack(claim)).toBe(false);
        expect(await claimIds()).toEqual([]);
      });

      test('takes a task back without spending an attempt', async () => {
        await enqueue(['t1']);
        const [first] = await one.tasks.claim('me', 1, CLAIM_MS);
        const claim = { task: 't1', token: first?.token ?? '' };
        expect(await one.tasks.giveBack({ ...claim, token: 'junk' })).toBe(false);
        expect(await one.tasks.giveBack(claim)).toBe(true);
        const [second] = await other.tasks.claim('they', 1, CLAIM_MS);
        expect(second).toMatchObject({ id: 't1', attempts: 0 });
        expect(second?.token).not.toBe(claim.token);
        expect(await one.tasks.finish(claim, 'done')).toBe(false);
      });

      test('hands a task on when its claim is over, and the old claim is worth nothing', async () => {
        await enqueue(['t1']);
        const [first] = await one.tasks.claim('me', 1, 1);
        const second = await expire(async () => (await other.tasks.claim('they', 1, CLAIM_MS))[0]);
        expect(second).toMatchObject({ id: 't1', attempts: 1 });
        const old = { task: 't1', token: first?.token ?? '' };
        expect(await one.tasks.finish(old, 'done')).toBe(false);
        expect(
          await one.fence.admitIntents(`me-${namespace}`, await head(), [sampleIntent(1, { claim: old })]),
        ).toMatchObject({ disowned: [1] });
      });

      test('never hands on a task of which an intent has no outcome, but one whose intents all have', async () => {
        await enqueue(['open'], ['closed'], ['later']);
        const claimed = await one.tasks.claim('me', 2, 100);
        const intents = claimed.map(({ id, token }, index) => sampleIntent(index + 1, { claim: { task: id, token } }));
        const incarnation = `me-${namespace}`;
        expect(await one.fence.admitIntents(incarnation, await head(), intents)).toMatchObject({ disowned: [] });
        const closed = claimed.findIndex(({ id }) => id === 'closed') + 1;
        await one.outcomes.record(incarnation, [{ seq: closed, kind: 'landed', detail: null }]);
        await one.outcomes.record(incarnation, [
          { seq: closed, kind: 'failed', detail: 'told twice' },
          { seq: 99, kind: 'blocked', detail: null },
        ]);
        const seen: string[] = [];
        await expire(async () => {
          seen.push(...(await other.tasks.claim('they', 10, CLAIM_MS)).map(({ id }) => id));
          return seen.includes('closed') ? true : undefined;
        });
        expect(seen.toSorted()).toEqual(['closed', 'later']);
        expect(await claimIds()).toEqual([]);
        const open = claimed.find(({ id }) => id === 'open');
        expect(await one.tasks.finish({ task: 'open', token: open?.token ?? '' }, 'done')).toBe(false);
      });

      const scopes = [
        ['global', '*', ['t1', 't2', 't3']],
        ['tenant', 'acme', ['t1']],
        ['feature', 'billing', ['t2']],
        ['agent', 'agent-3', ['t3']],
        ['run', 't2', ['t2']],
        ['run', 'root', ['t3']],
        ['tenant', 'other', []],
        ['capability', 'model/*', []],
      ] as const;
      const three = () =>
        enqueue(
          ['t1', { feature: null }],
          ['t2', { tenant: null, feature: 'billing' }],
          ['t3', { tenant: 'b', agent: 'agent-3', lineage: ['root', 'x'] }],
        );

      test.each(scopes)('discards what a stop of %s %s covers, for ever', async (scope, target, covered) => {
        await three();
        await stop({ id: `stop-${scope}`, scope, target, queue: 'discard' });
        await release(`stop-${scope}`);
        expect(await claimIds()).toEqual(['t1', 't2', 't3'].filter((id) => !covered.some((one) => one === id)));
      });

      test.each(scopes)(
        'leaves alone what a parking stop of %s %s covers, until it is released',
        async (scope, target, covered) => {
          await three();
          await stop({ id: `stop-${scope}`, scope, target, queue: 'park' });
          expect(await claimIds()).toEqual(['t1', 't2', 't3'].filter((id) => !covered.some((one) => one === id)));
          await release(`stop-${scope}`);
          expect(await claimIds()).toEqual(covered);
        },
      );

      test('keeps a task that was let in after a discarding stop, until that is released', async () => {
        await stop({ id: 'a', scope: 'tenant', target: 'acme', queue: 'discard' });
        await enqueue(['t1']);
        expect(await claimIds()).toEqual([]);
        await release('a');
        expect(await claimIds()).toEqual(['t1']);
      });

      test('gets past more discarded tasks than are asked for', async () => {
        await enqueue(
          ...Array.from(
            { length: 40 },
            (_, index) => [`old-${index}`] as const satisfies Parameters<typeof sampleTask>,
          ),
        );
        await stop({ scope: 'tenant', target: 'acme', queue: 'discard' });
        await enqueue(['new', { tenant: 'b' }]);
        expect(await claimIds(1)).toEqual(['new']);
      });
    });
  });
}
