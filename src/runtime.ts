import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { RegistryDecider } from './decider.ts';
import type { Decider } from './decider.ts';
import { KilldrillError } from './errors.ts';
import type { FenceContext } from './fenced-batches.ts';
import { Gate } from './gate.ts';
import { InFlight, watchLease } from './in-flight.ts';
import { IntentJournal } from './journal/intents.ts';
import { OutcomeBuffer } from './journal/outcomes.ts';
import { DEFAULT_LEASE, Lease } from './lease.ts';
import { StoreFeed } from './propagation/store-feed.ts';
import { Registry } from './registry.ts';
import type { Fence, FlipSource, OutcomeSink, TaskQueue } from './store/store.ts';
import type { CriticalCapabilities } from './switch.ts';
import { TaskIntake } from './tasks/intake.ts';

/** The store's ports as one worker holds them. */
export interface WorkerStore {
  readonly source: FlipSource;
  readonly fence: Fence;
  readonly outcomes: OutcomeSink;
  readonly tasks: TaskQueue;
  close(): Promise<void>;
}

export interface RuntimeOptions {
  readonly namespace: string;
  /** One life of this process; unique for ever. */
  readonly incarnation: string;
  /** Milliseconds. Default 1,200. */
  readonly leaseMs?: number;
  /** Milliseconds of being unverified after which calls in flight are aborted. Default 300. */
  readonly unverifiedGraceMs?: number;
  /** Capabilities that pass `halt_noncritical`; patterns such as `read/*`. Default none. */
  readonly critical?: CriticalCapabilities;
  readonly clock?: Clock;
  /** Wraps the decider, for those who must see or (in a drill) bend its answers. */
  readonly decider?: (genuine: Decider) => Decider;
  readonly onError?: (error: Error) => void;
}

const RETRY_MS = 100;
const LEASE_LOOK_MS = 20;

/** What a team builds into its agents: a gate over a registry that follows the store. */
export class Runtime {
  readonly registry: Registry;
  readonly lease: Lease;
  readonly decider: Decider;
  readonly gate: Gate;
  readonly intake: TaskIntake;
  readonly intents: IntentJournal;
  readonly outcomes: OutcomeBuffer;
  readonly inFlight: InFlight;
  readonly tasks: TaskQueue;
  readonly #feed: StoreFeed;
  readonly #store: WorkerStore;
  readonly #clock: Clock;
  readonly #stopWatching: () => void;
  #closing: Promise<void> | null = null;

  constructor(store: WorkerStore, options: RuntimeOptions) {
    const clock = options.clock ?? systemClock;
    const { namespace, incarnation, critical = [], onError } = options;
    this.#clock = clock;
    this.#store = store;
    this.registry = new Registry(namespace, critical);
    this.lease = new Lease(clock, { ...DEFAULT_LEASE, leaseMs: options.leaseMs ?? DEFAULT_LEASE.leaseMs });
    const genuine = new RegistryDecider(this.registry, this.lease);
    this.decider = options.decider?.(genuine) ?? genuine;
    this.inFlight = new InFlight(this.decider);
    this.#feed = new StoreFeed({
      source: store.source,
      registry: this.registry,
      lease: this.lease,
      clock,
      timings: { pollMs: this.lease.leaseMs / 4, retryMs: RETRY_MS },
      ...(onError === undefined ? {} : { onError }),
    });
    const fenced: FenceContext = {
      registry: this.registry,
      lease: this.lease,
      diverged: () => this.#feed.reload(),
    };
    this.outcomes = new OutcomeBuffer(incarnation, store.outcomes, clock);
    this.intents = new IntentJournal(incarnation, store.fence, this.outcomes, fenced);
    this.intake = new TaskIntake(store.fence, this.decider, fenced);
    this.tasks = store.tasks;
    this.gate = new Gate({
      decider: this.decider,
      intents: this.intents,
      outcomes: this.outcomes,
      inFlight: this.inFlight,
      clock,
    });
    this.registry.onChange(() => this.inFlight.abortStopped());
    this.#stopWatching = watchLease(
      { clock, decider: this.decider, inFlight: this.inFlight },
      { graceMs: options.unverifiedGraceMs ?? 300, everyMs: LEASE_LOOK_MS },
    );
    this.#feed.start();
  }

  /**
   * Resolves once the registry has been loaded in full, listening was proven and a lease is held.
   *
   * @throws KilldrillError `NOT_READY` after `withinMs`; the runtime goes on trying, and refuses everything until then.
   */
  async ready(withinMs: number): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + withinMs;
    await Promise.race([this.#feed.ready(), this.#sleep(withinMs)]);
    while (!this.decider.verified()) {
      if (this.#clock.monotonicMs() >= untilMs) {
        throw new KilldrillError(
          'NOT_READY',
          `the store has given no lease within ${withinMs} ms; is it up, migrated, and reachable at the registry's URL?`,
        );
      }
      await this.#sleep(LEASE_LOOK_MS);
    }
  }

  /** Ends the runtime: writes what outcomes it can within `withinMs`, then lets go of the store. Safe to call twice. */
  close(withinMs = 2_000): Promise<void> {
    this.#closing ??= this.#close(withinMs);
    return this.#closing;
  }

  async #close(withinMs: number): Promise<void> {
    this.#stopWatching();
    try {
      await this.#feed.close();
      await this.outcomes.flush(withinMs);
    } finally {
      this.outcomes.close();
      await this.#store.close();
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve);
    });
  }
}
