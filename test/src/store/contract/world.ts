import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import type { AuditStore } from '../../../../src/store/audit-port.ts';
import type { CanaryTurns } from '../../../../src/store/canary-port.ts';
import type { EffectivenessStore, WorkerReports } from '../../../../src/store/effectiveness-port.ts';
import type {
  ClaimToken,
  ClaimedTask,
  Fence,
  FlipAnswer,
  FlipSource,
  FlipStore,
  Head,
  OperatorStore,
  OutcomeKind,
  OutcomeSink,
  TaskQueue,
  TaskState,
} from '../../../../src/store/store.ts';
import { releaseText, sampleIntent, sampleTask, stopText } from '../samples.ts';

/** Everything that one process holds of a store. */
export interface StoreHandles {
  readonly flips: FlipSource;
  readonly fence: Fence;
  readonly outcomes: OutcomeSink;
  readonly tasks: TaskQueue;
  readonly control: FlipStore;
  readonly operator: OperatorStore;
  readonly audit: AuditStore;
  readonly reports: WorkerReports;
  readonly effectiveness: EffectivenessStore;
  readonly canaries: CanaryTurns;
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

/** A task in its claimant's hands. */
export interface Held {
  readonly task: ClaimedTask;
  readonly claim: ClaimToken;
}

/** Most batches that a test's sweeps may take: one that never ends is a bug, not a wait. */
const SWEEP_BATCHES = 200;

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
  /** Claims exactly this one task; it has to be the only one that is to be had. */
  claimOne(id: string): Promise<Held>;
  /** Lets in one intent of a claim, and records its outcome if one is given. */
  effect(claim: ClaimToken, key: string, outcome?: OutcomeKind): Promise<number>;
  /** Finishes every sweep that may run now; answers how many tasks it changed. */
  sweepAll(): Promise<number>;
  /** How many tasks are in each state. */
  states(): Promise<Partial<Record<TaskState, number>>>;
  /** Looks again until time that has to pass has passed: a claim is over, a task is due, a drain has ended. */
  expire<T>(look: () => Promise<T | undefined>): Promise<T>;
}

/** A world whose namespace and handles are made by `open`, before each test. */
export class TestWorld implements World {
  #lastSeq = 0;
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

  async claimOne(id: string): Promise<Held> {
    const [task, ...others] = await this.one.tasks.claim('me', 10, CLAIM_MS);
    expect([task?.id, ...others.map((other) => other.id)]).toEqual([id]);
    if (task === undefined) throw new Error(`task '${id}' was not to be had`);
    return { task, claim: { task: id, token: task.token } };
  }

  async effect(claim: ClaimToken, key: string, outcome?: OutcomeKind): Promise<number> {
    this.#lastSeq += 1;
    const seq = this.#lastSeq;
    const incarnation = `me-${this.namespace}`;
    const intent = sampleIntent(seq, { claim, idempotencyKey: key, run: claim.task });
    const answer = await this.one.fence.admitIntents(incarnation, await this.head(), [intent]);
    expect(answer).toMatchObject({ kind: 'admitted', disowned: [] });
    if (outcome !== undefined) await this.one.outcomes.record(incarnation, [{ seq, kind: outcome, detail: null }]);
    return seq;
  }

  async sweepAll(): Promise<number> {
    let total = 0;
    for (let batch = 1; batch <= SWEEP_BATCHES; batch += 1) {
      const { swept, more } = await this.one.tasks.sweep(1_000);
      total += swept;
      if (!more) return total;
    }
    throw new Error(`sweeps have not ended after ${SWEEP_BATCHES} batches`);
  }

  async states(): Promise<Partial<Record<TaskState, number>>> {
    const states: Partial<Record<TaskState, number>> = {};
    for (const { state, count } of await this.one.tasks.counts()) states[state] = (states[state] ?? 0) + count;
    return states;
  }

  expire<T>(look: () => Promise<T | undefined>): Promise<T> {
    return vi.waitFor(async () => {
      const found = await look();
      if (found === undefined) throw new Error('it is not time yet');
      return found;
    }, WAIT);
  }

  get #now(): Pick<World, 'namespace' | 'world' | 'one' | 'other'> {
    if (this.#opened === null) throw new Error('the world is opened before each test, not while tests are collected');
    return this.#opened;
  }
}
