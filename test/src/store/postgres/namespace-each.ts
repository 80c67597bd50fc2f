import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { beforeAll, beforeEach } from 'vitest';
import type { Head } from '../../../../src/store/store.ts';
import type { StoreHandles } from '../contract/world.ts';
import { prepareDatabase } from './prepared-database.ts';
import type { PreparedDatabase } from './prepared-database.ts';

/** What a test of the store's functions works on: a database for its file, a namespace and one process's ports of its own. */
interface Ground {
  readonly database: PreparedDatabase;
  readonly owner: pg.Client;
  readonly namespace: string;
  readonly store: StoreHandles;
}

/** Two more sessions, whose transactions a test holds open, and where the namespace begins. */
interface Sessions extends Ground {
  readonly first: pg.Client;
  readonly second: pg.Client;
  readonly start: Head;
}

/** Hands each test of the file its ground, and lets go of it afterwards. */
export function namespaceEach(take: (ground: Ground) => void): void {
  let database: PreparedDatabase;
  let owner: pg.Client;
  beforeAll(async () => {
    database = await prepareDatabase();
    owner = await database.connect(database.ownerUrl);
    return () => database.close();
  });
  beforeEach(async () => {
    const namespace = `ns-${randomUUID()}`;
    await database.addNamespace(namespace);
    const store = database.open(namespace);
    take({ database, owner, namespace, store });
    return () => store.close();
  });
}

/** As `namespaceEach`, with two sessions of the owner. */
export function sessionsEach(take: (sessions: Sessions) => void): void {
  let ground: Ground;
  namespaceEach((one) => (ground = one));
  beforeEach(async () => {
    const { database, store } = ground;
    const [first, second] = [await database.connect(database.ownerUrl), await database.connect(database.ownerUrl)];
    const { head: start } = await store.flips.load();
    take({ ...ground, first, second, start });
    return async () => {
      // Some tests have them terminated.
      await first.end().catch(() => undefined);
      await second.end().catch(() => undefined);
    };
  });
}
