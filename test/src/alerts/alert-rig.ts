import { AlertExecutor } from '../../../src/alerts/alert-executor.ts';
import type { AlertEvent, ExecutorParts } from '../../../src/alerts/executor-parts.ts';
import type { BusSession } from '../../../src/alerts/alert-bus.ts';
import type { AlertStore } from '../../../src/alerts/alert-store.ts';
import type { AlertPolicy } from '../../../src/alerts/judge-alert.ts';
import { MemoryBus, MemoryTopic } from '../../../src/alerts/memory-bus.ts';
import { KilldrillError } from '../../../src/errors.ts';
import { parseFlip } from '../../../src/flip-text.ts';
import { Registry } from '../../../src/registry.ts';
import { MemoryAlertStore } from '../../../src/store/memory-alerts.ts';
import type { MemoryAlertHooks } from '../../../src/store/memory-alerts.ts';
import { MemoryState } from '../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { releaseText } from '../store/samples.ts';
import { ManualClock, pass, settled } from '../manual-clock.ts';
import { NAMESPACE, TOPIC, newDetector, policyFor } from './samples.ts';
import type { Sent } from './samples.ts';

export type StoreMaker = (state: MemoryState, hooks: MemoryAlertHooks) => AlertStore;

export interface RigOptions {
  readonly partitions?: number;
  readonly makeStore?: StoreMaker;
  readonly makeBus?: (topic: MemoryTopic, hooks: ConstructorParameters<typeof MemoryBus>[1]) => MemoryBus;
}

/** One executor, its registry and what happened to it. Its process can be killed at any hook. */
export interface RigExecutor {
  readonly executor: AlertExecutor;
  readonly registry: Registry;
  readonly events: AlertEvent[];
  readonly errors: Error[];
  /** kill -9: nothing that it waits for is ever answered, and the bus gives its partitions away. */
  kill(): void;
  readonly isKilled: boolean;
}

/** A memory store, a memory bus and executors on a clock that moves by hand. */
export class AlertRig {
  readonly clock = new ManualClock();
  readonly state = new MemoryState({ namespace: NAMESPACE, clock: this.clock });
  readonly control = new MemoryStore(this.state);
  readonly detector = newDetector();
  readonly topic: MemoryTopic;
  readonly policy: AlertPolicy = policyFor([this.detector]);
  isStoreAway = false;
  isBusAway = false;
  /** Called before anything that an executor asks of store or bus, and after; by whom, and what. */
  onStep: (who: RigExecutor, step: string) => Promise<void> | void = () => undefined;
  readonly #options: RigOptions;
  readonly #all: RigExecutor[] = [];

  constructor(options: RigOptions = {}) {
    this.#options = options;
    this.topic = new MemoryTopic(TOPIC, options.partitions ?? 1, () => this.clock.wallMs());
  }

  publish(sent: Sent, partition = 0): number {
    return this.topic.append(partition, sent.bytes, sent.signature).position;
  }

  async start(parts: Partial<ExecutorParts> = {}): Promise<RigExecutor> {
    const one = this.launch(parts);
    await settled();
    return one;
  }

  /** Starts one and lets nothing run yet. */
  launch(parts: Partial<ExecutorParts> = {}): RigExecutor {
    const [registry, events, errors]: [Registry, AlertEvent[], Error[]] = [new Registry(NAMESPACE), [], []];
    registry.load({ head: this.state.head, ageMs: 0, open: [], critical: [] });
    let isKilled = false;
    let session: BusSession | null = null;
    const gate = async (step: string, isAway: () => boolean): Promise<void> => {
      if (!isKilled) await this.onStep(one, step);
      if (isKilled) await new Promise<never>(() => undefined);
      if (isAway()) throw new KilldrillError('STORE_UNREACHABLE', `${step}: away`);
    };
    const hooks = (isAway: () => boolean) => ({
      before: (step: string) => gate(`before ${step}`, isAway),
      after: (step: string) => {
        if (step === 'join') session = this.topic.members.at(-1) ?? null;
        if (isKilled) void session?.close();
        return gate(`after ${step}`, isAway);
      },
    });
    const store = hooks(() => this.isStoreAway);
    const bus = hooks(() => this.isBusAway);
    const { makeStore = (state, all) => new MemoryAlertStore(state, all) } = this.#options;
    const { makeBus = (topic, all) => new MemoryBus(topic, all) } = this.#options;
    const executor = new AlertExecutor({
      ...{ bus: makeBus(this.topic, bus), store: makeStore(this.state, store), registry, policy: this.policy },
      ...{ clock: this.clock, onEvent: (event) => events.push(event), onError: (error) => errors.push(error) },
      ...parts,
    });
    const one: RigExecutor = {
      ...{ executor, registry, events, errors },
      kill: () => {
        isKilled = true;
        void session?.close();
      },
      get isKilled() {
        return isKilled;
      },
    };
    this.#all.push(one);
    executor.start();
    return one;
  }

  async close(): Promise<void> {
    this.isStoreAway = false;
    this.isBusAway = false;
    this.onStep = () => undefined;
    const closing = Promise.all(this.#all.filter(({ isKilled }) => !isKilled).map(({ executor }) => executor.close()));
    await pass(this.clock, 20);
    await closing;
  }

  /** A release, of which every process has heard. */
  async release(...engagements: readonly string[]): Promise<void> {
    await this.control.flip(releaseText(NAMESPACE, engagements), null);
    for (const { registry } of this.#all) registry.apply(this.state.flips.map(({ record }) => record));
  }

  pass(ms: number): Promise<void> {
    return pass(this.clock, ms);
  }

  position(partition = 0): number | null {
    return this.state.alertPositions.get(`${partition} ${TOPIC}`) ?? null;
  }

  /** What became of the alerts of a partition: `position kind`. */
  records(partition = 0): readonly string[] {
    return this.state.alerts
      .filter(({ place }) => place.partition === partition)
      .toSorted((one, other) => one.place.position - other.place.position)
      .map(({ place, kind }) => `${place.position} ${kind}`);
  }

  deadPositions(): readonly number[] {
    return this.topic.deadLetters.map(({ message }) => message.position);
  }

  stops(): readonly string[] {
    return this.state.flips.flatMap(({ record }) => {
      const flip = parseFlip(record.text);
      return flip.kind === 'stop' ? [flip.target] : [];
    });
  }
}
