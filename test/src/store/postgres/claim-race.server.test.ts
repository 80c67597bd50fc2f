import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { ClaimedTask, Head } from '../../../../src/store/store.ts';
import { CLAIM_MS } from '../contract/world.ts';
import type { StoreHandles } from '../contract/world.ts';
import { sampleIntent, sampleTask } from '../samples.ts';
import { prepareDatabase } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';

const CLAIMANTS = 8;
const TASKS = 600;

let database: PreparedDatabase;

beforeAll(async () => {
  database = await prepareDatabase();
  return () => database.close();
});

/** Claims one at a time and lets an intent in under each claim at once; answers the claims that the fence took for lost. */
async function race(store: StoreHandles, head: Head, name: string): Promise<readonly string[]> {
  const lost: string[] = [];
  for (let seq = 0; seq < TASKS; seq += 1) {
    const [task] = await store.tasks.claim(name, 1, CLAIM_MS);
    if (task === undefined) return lost;
    const answer = await store.fence.admitIntents(name, head, [sampleIntent(seq, { claim: tokenOf(task) })]);
    if (answer.kind !== 'admitted' || answer.disowned.length > 0) lost.push(task.id);
  }
  return lost;
}

function tokenOf({ id, token }: ClaimedTask): { task: string; token: string } {
  return { task: id, token };
}

test('a claim that nobody else has is never taken for lost, however many claim at once', async () => {
  const namespace = `ns-${randomUUID()}`;
  await database.addNamespace(namespace);
  const stores = Array.from({ length: CLAIMANTS }, () => database.open(namespace));
  try {
    const [store] = stores;
    if (store === undefined) throw new Error('there is no store');
    const { head } = await store.flips.load();
    const tasks = Array.from({ length: TASKS }, (_, nth) => sampleTask(`task-${nth}`));
    expect(await store.fence.enqueue(head, tasks)).toMatchObject({ kind: 'admitted' });
    const lost = await Promise.all(stores.map((each, nth) => race(each, head, `claimant-${nth}`)));
    expect(lost.flat()).toEqual([]);
  } finally {
    await Promise.all(stores.map((each) => each.close()));
  }
});
