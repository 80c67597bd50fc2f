import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { CLAIM_MS } from '../contract/world.ts';
import type { StoreHandles } from '../contract/world.ts';
import { SOMEBODY, releaseText, sampleTask, stopText } from '../samples.ts';
import { namespaceEach } from './namespace-each.ts';
import type { PreparedDatabase } from './prepared-database.ts';
import { begin, untilWaiting } from './statements.ts';

const CLAIMANTS = 6;
const TASKS = 600;
const ROUNDS = 8;

let database: PreparedDatabase;
let owner: pg.Client;
let namespace: string;
let store: StoreHandles;

namespaceEach((ground) => ({ database, owner, namespace, store } = ground));

async function enqueue(ids: readonly string[]): Promise<void> {
  const { head } = await store.flips.load();
  expect(
    await store.fence.enqueue(
      head,
      ids.map((id) => sampleTask(id)),
    ),
  ).toMatchObject({ kind: 'admitted' });
}

/** A stop that discards, and its release: what is in the queue is doomed, and nobody has written it down yet. */
async function doom(): Promise<void> {
  const id = randomUUID();
  await store.control.flip(stopText(namespace, { id }), null);
  await store.control.flip(releaseText(namespace, [id]), null);
}

async function discarded(): Promise<number> {
  const { rows } = await owner.query(`select from killdrill.task where namespace = $1 and state = 'discarded'`, [
    namespace,
  ]);
  return rows.length;
}

test('a resume waits for a task that somebody holds who has only looked at it', async () => {
  await enqueue(['looked-at', 'other']);
  await doom();
  while ((await store.tasks.sweep(1_000)).more);
  const claimant = await database.connect(database.ownerUrl);
  await begin(claimant);
  await claimant.query(`select from killdrill.task where namespace = $1 and id = 'looked-at' for no key update`, [
    namespace,
  ]);
  const resumed = store.operator.resume({ kind: 'all' }, { kind: 'at-once' }, SOMEBODY);
  await Promise.race([resumed, untilWaiting(owner, 1)]);
  await claimant.query('commit');
  expect(await resumed).toMatchObject({ tasks: 2, runs: ['looked-at', 'other'] });
  expect(await discarded()).toBe(0);
});

test('a resume leaves nothing behind, however many claim at once', async () => {
  const claimants = Array.from({ length: CLAIMANTS }, () => database.open(namespace));
  const left: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      await enqueue(Array.from({ length: TASKS }, (_, nth) => `task-${round}-${nth}`));
      await doom();
      let over = false;
      const claiming = claimants.map(async ({ tasks }, nth) => {
        while (!over) await tasks.claim(`claimant-${nth}`, 16, CLAIM_MS);
      });
      await store.operator.resume({ kind: 'all' }, { kind: 'at-once' }, SOMEBODY);
      over = true;
      await Promise.all(claiming);
      left.push(await discarded());
    }
  } finally {
    await Promise.all(claimants.map((each) => each.close()));
  }
  expect(left).toEqual(Array.from({ length: ROUNDS }, () => 0));
});

test('two processes that queue the same tasks in different orders do not wait for each other', async () => {
  const other = database.open(namespace);
  try {
    const { head } = await store.flips.load();
    for (let round = 0; round < ROUNDS; round += 1) {
      const tasks = Array.from({ length: 256 }, (_, nth) => sampleTask(`task-${round}-${nth}`));
      const answers = await Promise.all([
        store.fence.enqueue(head, tasks),
        other.fence.enqueue(head, tasks.toReversed()),
      ]);
      expect(answers).toMatchObject([{ kind: 'admitted' }, { kind: 'admitted' }]);
    }
  } finally {
    await other.close();
  }
});
