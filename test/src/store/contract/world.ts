import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import type {
  Fence,
  FlipAnswer,
  FlipSource,
  FlipStore,
  Head,
  OutcomeSink,
  TaskQueue,
} from '../../../../src/store/store.ts';
import { releaseText, sampleTask, stopText } from '../samples.ts';

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

/** Long enough for no claim to be over by itself within a test. */
export const CLAIM_MS = 60_000;
export const WAIT = { timeout: 10_000, interval: 5 };

/** Two processes on one namespace, new for each test. */
export interface World {
  readonly namespace: string;
  readonly world: StoreWorld;
  readonly one: StoreHandles;
  readonly other: StoreHandles;
  stop(parts?: Parameters<typeof stopText>[1]): Promise<FlipAnswer>;
  release(...ids: readonly string[]): Promise<FlipAnswer>;
  head(): Promise<Head>;
  enqueue(...tasks: readonly Parameters<typeof sampleTask>[]): Promise<void>;
  claimIds(limit?: number): Promise<readonly string[]>;
  /** Looks again until a claim that is over has been noticed. */
  expire<T>(look: () => Promise<T | undefined>): Promise<T>;
}

/** A world whose namespace and handles are made by `open`, before each test. */
export class TestWorld implements World {
  #opened: Pick<World, 'namespace' | 'world' | 'one' | 'other'> | null = null;

  get namespace(): string {
    return this.#now.namespace;
  }

  get world(): StoreWorld {
    return this.#now.world;
  }

  get one(): StoreHandles {
    return this.#now.one;
  }

  get other(): StoreHandles {
    return this.#now.other;
  }

  async open(kind: StoreKind): Promise<void> {
    const namespace = `ns-${randomUUID()}`;
    const world = await kind.openWorld(namespace);
    this.#opened = { namespace, world, one: await world.open(), other: await world.open() };
  }

  async close(): Promise<void> {
    await this.one.close();
    await this.other.close();
  }

  stop(parts: Parameters<typeof stopText>[1] = {}): Promise<FlipAnswer> {
    return this.one.control.flip(stopText(this.namespace, parts), null);
  }

  release(...ids: readonly string[]): Promise<FlipAnswer> {
    return this.one.control.flip(releaseText(this.namespace, ids), null);
  }

  async head(): Promise<Head> {
    return (await this.one.flips.load()).head;
  }

  async enqueue(...tasks: readonly Parameters<typeof sampleTask>[]): Promise<void> {
    const given = tasks.map((task) => sampleTask(...task));
    expect(await this.one.fence.enqueue(await this.head(), given)).toMatchObject({ kind: 'admitted' });
  }

  async claimIds(limit = 10): Promise<readonly string[]> {
    return (await this.one.tasks.claim('me', limit, CLAIM_MS)).map(({ id }) => id);
  }

  expire<T>(look: () => Promise<T | undefined>): Promise<T> {
    return vi.waitFor(async () => {
      const found = await look();
      if (found === undefined) throw new Error('the claim is not over yet');
      return found;
    }, WAIT);
  }

  get #now(): Pick<World, 'namespace' | 'world' | 'one' | 'other'> {
    if (this.#opened === null) throw new Error('the world is opened before each test, not while tests are collected');
    return this.#opened;
  }
}
