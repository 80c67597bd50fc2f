import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { Worker } from '../../fleet-sim/worker.ts';
import type { WorkerOptions } from '../../fleet-sim/worker.ts';
import { Runtime } from '../../src/runtime.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import type { MemoryHooks } from '../../src/store/memory.ts';
import { MemoryState } from '../../src/store/memory-state.ts';
import type { StoredTask } from '../../src/store/memory-state.ts';
import type { Intent, NewTask } from '../../src/store/store.ts';
import type { StopFlip } from '../../src/switch.ts';
import { releaseText, stopText } from '../src/store/samples.ts';
import { FakeWorld } from './fake-world.ts';

export const WAIT = { timeout: 10_000, interval: 5 };
const NAMESPACE = 'fleet';

export function step(capability = 'write/mail', more: Readonly<Record<string, unknown>> = {}) {
  return { kind: 'call', capability, access: 'write', journal: true, deadlineMs: 20_000, ...more };
}

export function task(id: string, plan: unknown, more: Partial<NewTask> = {}): NewTask {
  return {
    ...{ id, kind: 'run', run: id, tenant: 'acme', feature: 'inbox', agent: 'agent-1', lineage: [], capability: null },
    ...{ plan, due: { kind: 'now' }, pastDue: 'fire', repeat: null },
    ...more,
  };
}

export interface RigOptions {
  readonly agents?: number;
  readonly claimMs?: number;
  readonly leaseMs?: number;
  readonly hooks?: MemoryHooks;
  /** In place of the fake one. */
  readonly worldClient?: WorkerOptions['world'];
}

/** One worker of the simulated fleet over a store and a world in this process, everything else of it genuine. */
export class FleetRig {
  readonly state = new MemoryState({ namespace: NAMESPACE });
  readonly operator = new MemoryStore(this.state);
  readonly world = new FakeWorld();
  readonly logged: string[] = [];
  readonly runtime: Runtime;
  readonly worker: Worker;

  constructor({ agents = 8, claimMs = 60_000, leaseMs = 1_200, hooks = {}, worldClient }: RigOptions = {}) {
    const store = new MemoryStore(this.state, hooks);
    const ports = { source: store, fence: store, outcomes: store, tasks: store, close: () => Promise.resolve() };
    this.runtime = new Runtime(ports, { namespace: NAMESPACE, incarnation: randomUUID(), claimMs, leaseMs });
    this.worker = new Worker({
      agents,
      clock: this.state.clock,
      runtime: this.runtime,
      world: worldClient ?? this.world,
      payload: () => '{}',
      signalOf: (signal) => signal,
      bendTools: (tools) => tools,
      log: (line) => this.logged.push(line),
    });
  }

  async start(): Promise<this> {
    await this.runtime.ready(5_000);
    await this.worker.start();
    return this;
  }

  async close(): Promise<void> {
    await this.worker.stop(1_000);
    await this.runtime.close(500);
  }

  enqueue(...tasks: readonly NewTask[]): Promise<unknown> {
    return this.operator.enqueue(this.state.head, tasks);
  }

  /** Makes a stop durable; answers its id. */
  async stop(what: Partial<StopFlip> = {}): Promise<string> {
    const id = randomUUID();
    await this.operator.flip(stopText(NAMESPACE, { id, ...what }), null);
    return id;
  }

  async release(...ids: readonly string[]): Promise<void> {
    await this.operator.flip(releaseText(NAMESPACE, ids), null);
  }

  row(id: string): StoredTask | undefined {
    return this.state.tasks.get(id);
  }

  /** Waits until a task is in this state. */
  async until(id: string, state: StoredTask['state']): Promise<StoredTask> {
    await expect.poll(() => this.row(id)?.state ?? 'not there', WAIT).toBe(state);
    return this.row(id)!;
  }

  async untilHeld(...keys: readonly string[]): Promise<void> {
    await expect.poll(() => [...this.world.held].toSorted(), WAIT).toEqual([...keys].toSorted());
  }

  intents(): readonly Intent[] {
    return [...this.state.intents.values()].map(({ intent }) => intent);
  }
}
