import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { CanaryCheck } from './control/canary-check.ts';
import { EmergencyResponse } from './control/emergency.ts';
import type { EmergencyOptions, EmergencyResult } from './control/emergency.ts';
import { WorkerReporter } from './control/worker-reporter.ts';
import { RegistryDecider } from './decider.ts';
import type { Decider } from './decider.ts';
import { DrainTimers } from './drain-timers.ts';
import { KilldrillError } from './errors.ts';
import type { FenceContext } from './fenced-batches.ts';
import type { Refusal } from './flip-proof.ts';
import type { FlipKeys } from './flip-signature.ts';
import { guardedObserver } from './gate-observer.ts';
import type { GateObserver } from './gate-observer.ts';
import { Gate } from './gate.ts';
import { InFlight, watchLease } from './in-flight.ts';
import { IntentJournal } from './journal/intents.ts';
import { OutcomeBuffer } from './journal/outcomes.ts';
import { DEFAULT_LEASE, Lease } from './lease.ts';
import { StateFileFeed } from './propagation/file.ts';
import type { StateFileOptions } from './propagation/file.ts';
import { rereadCriticalRules } from './propagation/critical-rules.ts';
import { StoreFeed } from './propagation/store-feed.ts';
import { Registry } from './registry.ts';
import { reportTo } from './report-to.ts';
import { RunningRuns } from './running-runs.ts';
import type { WorkerReports } from './store/effectiveness-port.ts';
import type { ClaimToken, Fence, FlipSource, OutcomeSink, TaskQueue } from './store/store.ts';
import { Claims } from './tasks/claims.ts';
import { TaskIntake } from './tasks/intake.ts';
import { Sweeper } from './tasks/sweeper.ts';
import { within } from './within.ts';

/** The store's ports as one worker holds them. */
export interface WorkerStore {
  readonly source: FlipSource;
  readonly fence: Fence;
  readonly outcomes: OutcomeSink;
  readonly tasks: TaskQueue;
  /** Without it, nobody can confirm a stop for this worker; it is held by registry and fence all the same. */
  readonly reports?: WorkerReports;
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
  /** Its name in snapshots and reports, the same through all lives of the process. Default `worker`. */
  readonly worker?: string;
  /** Which part of the declared inventory it is of. Default `default`. */
  readonly pool?: string;
  /** Of the program that it runs, for whoever looks at the list of workers. */
  readonly version?: string;
  /** The longest deadline that any of its effects has, milliseconds: how long a stop that nobody confirms takes to be effective. Default 60,000. */
  readonly longestDeadlineMs?: number;
  /** How long a claim on a task lasts, milliseconds; it is extended while it is held. Default 30,000. */
  readonly claimMs?: number;
  /** Public keys of those who flip: where they are told, nothing but a signed release lets anybody go on. Default: none. */
  readonly keys?: FlipKeys | null;
  /** Told of each flip that was not taken for want of proof. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** What to do about an emergency besides stopping. */
  readonly emergency?: EmergencyOptions;
  /** Told of each emergency once its snapshot is written and its hooks have ended. */
  readonly onEmergency?: (result: EmergencyResult) => void;
  readonly clock?: Clock;
  /** A state file that is followed too: a stop in it counts as the store's does, and while it cannot be trusted everything is refused. */
  readonly stateFile?: StateFileOptions;
  /** Wraps the decider, for those who must see or (in a drill) bend its answers. */
  readonly decider?: (genuine: Decider) => Decider;
  /** Is told what the gate has sent and refused, for example a `DetectionObserver`; what it throws goes to `onError`. */
  readonly observer?: GateObserver;
  readonly onError?: (error: Error) => void;
}

const RETRY_MS = 100;
const LEASE_LOOK_MS = 20;
const CLAIM_MS = 30_000;
const LONGEST_DEADLINE_MS = 60_000;
/** The store's own part of closing. */
const LET_GO_MS = 500;

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
  /** Claims that are extended while they are held. */
  readonly claims: Claims;
  readonly sweeper: Sweeper;
  readonly emergency: EmergencyResponse;
  readonly #feed: StoreFeed;
  readonly #file: StateFileFeed | null;
  readonly #drains: DrainTimers;
  readonly #reporter: WorkerReporter | null;
  readonly #store: WorkerStore;
  readonly #clock: Clock;
  readonly #report: (error: unknown) => void;
  readonly #stopWatching: () => void;
  #closing: Promise<void> | null = null;

  constructor(store: WorkerStore, options: RuntimeOptions) {
    const clock = options.clock ?? systemClock;
    const { namespace, incarnation, onError } = options;
    const logged = onError === undefined ? {} : { onError };
    this.#clock = clock;
    this.#store = store;
    this.#report = reportTo(onError);
    this.registry = new Registry(namespace, {
      keys: options.keys ?? null,
      ...(options.onRefused === undefined ? {} : { onRefused: options.onRefused }),
    });
    this.lease = new Lease(clock, { ...DEFAULT_LEASE, leaseMs: options.leaseMs ?? DEFAULT_LEASE.leaseMs });
    const { registry, lease } = this;
    this.#file = this.#openFile(options, clock);
    const genuine = new RegistryDecider(registry, lease, this.#file);
    const decider = options.decider?.(genuine) ?? genuine;
    this.decider = decider;
    this.inFlight = new InFlight(decider);
    const timings = { pollMs: lease.leaseMs / 4, retryMs: RETRY_MS };
    this.#feed = new StoreFeed({ source: store.source, registry, lease, clock, timings, ...logged });
    const fenced: FenceContext = { registry, lease, diverged: () => this.#feed.reload() };
    this.tasks = store.tasks;
    this.claims = new Claims({
      ...{ tasks: store.tasks, clock, incarnation, claimMs: options.claimMs ?? CLAIM_MS, ...logged },
      onLost: ({ token }, error) => this.inFlight.abortClaim(token, error),
    });
    const lostClaim = (claim: ClaimToken): KilldrillError | null => this.claims.lost(claim);
    this.outcomes = new OutcomeBuffer(incarnation, store.outcomes, clock);
    this.intents = new IntentJournal(incarnation, store.fence, this.outcomes, fenced);
    this.intake = new TaskIntake({ fence: store.fence, decider, context: fenced, lostClaim });
    const runs = new RunningRuns(clock);
    const { intents, outcomes, inFlight } = this;
    const observed =
      options.observer === undefined ? {} : { observer: guardedObserver(options.observer, this.#report) };
    this.gate = new Gate({ decider, intents, outcomes, inFlight, clock, runs, lostClaim, ...observed });
    this.sweeper = new Sweeper({ tasks: store.tasks, clock, ...logged });
    this.emergency = new EmergencyResponse({
      ...{ namespace, incarnation, worker: options.worker ?? 'worker', clock, registry, lease, inFlight, runs },
      ...{ tasks: store.tasks, options: options.emergency ?? {}, ...logged },
      ...(options.onEmergency === undefined ? {} : { onEmergency: options.onEmergency }),
    });
    this.#drains = this.#follow(clock);
    this.#reporter = this.#reports(options);
    this.#stopWatching = watchLease(
      { clock, decider, inFlight },
      { graceMs: options.unverifiedGraceMs ?? 300, everyMs: LEASE_LOOK_MS },
    );
    this.#feed.start();
    this.#file?.start();
    this.sweeper.start();
    this.#reporter?.start();
  }

  /** Last of those who follow the registry, so that a report finds a stop's calls aborted. */
  #reports(options: RuntimeOptions): WorkerReporter | null {
    const { reports } = this.#store;
    if (reports === undefined) return null;
    const { registry, inFlight } = this;
    const canary = new CanaryCheck(registry, this.gate, () => reporter.wake());
    const { incarnation, worker = 'worker', pool = 'default', version = null } = options;
    const longestDeadlineMs = options.longestDeadlineMs ?? LONGEST_DEADLINE_MS;
    const identity = { incarnation, worker, pool, version, leaseMs: this.lease.leaseMs, longestDeadlineMs };
    const reporter = new WorkerReporter({
      ...{ reports, identity, registry, inFlight, clock: this.#clock, onError: this.#report },
      canary: () => canary.refusedRevision,
    });
    return reporter;
  }

  /** Its stops are the registry's, whose feed offers them to the store. */
  #openFile({ stateFile, namespace, onError }: RuntimeOptions, clock: Clock): StateFileFeed | null {
    if (stateFile === undefined) return null;
    const logged = onError === undefined ? {} : { onError };
    return new StateFileFeed(stateFile, { registry: this.registry, clock, namespace, endedBy: 'store', ...logged });
  }

  /** Who acts on a change of the registry, in this order: first of all, what is stopped is aborted. */
  #follow(clock: Clock): DrainTimers {
    const { registry } = this;
    registry.onChange(() => this.inFlight.abortStopped());
    registry.onChange(() => this.emergency.look());
    const drains = new DrainTimers(registry, clock);
    let seen = '';
    registry.onChange(() => {
      const now = `${registry.head?.epoch} ${registry.head?.revision} ${registry.openCount}`;
      if (now !== seen) this.sweeper.wake();
      seen = now;
    });
    rereadCriticalRules(registry, () => this.#feed.reload());
    return drains;
  }

  /**
   * Resolves once the registry has been loaded in full, listening was proven and a lease is held.
   *
   * @throws KilldrillError `NOT_READY` after `withinMs`; the runtime goes on trying, and refuses everything until then.
   */
  async ready(withinMs: number): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + withinMs;
    await this.#loaded(withinMs);
    while (!this.decider.verified()) {
      if (this.#clock.monotonicMs() >= untilMs) {
        throw new KilldrillError(
          'NOT_READY',
          this.decider.unverifiedBecause?.() ??
            `the store has given no lease within ${withinMs} ms; is it up, migrated, and reachable at the registry's URL?`,
        );
      }
      await this.#sleep(LEASE_LOOK_MS);
    }
  }

  /** Waits for the first load, and leaves no timer behind: a program that is through with its work should end by itself. */
  async #loaded(withinMs: number): Promise<void> {
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.after(withinMs, resolve);
    });
    try {
      await Promise.race([this.#feed.ready(), late]);
    } finally {
      cancel();
    }
  }

  /**
   * Ends the runtime: writes what outcomes it can, lets a sweep batch and what is done about an emergency end, and lets go
   * of the store, all within `withinMs` and half a second. Safe to call twice.
   */
  close(withinMs = 2_000): Promise<void> {
    this.#closing ??= this.#close(withinMs);
    return this.#closing;
  }

  async #close(withinMs: number): Promise<void> {
    this.#stopWatching();
    this.#drains.close();
    this.#file?.close();
    this.claims.close();
    try {
      await this.#atMost(withinMs, 'its parts', [
        this.#feed.close(),
        this.sweeper.close(),
        this.emergency.idle(),
        this.outcomes.flush(withinMs),
        this.#signOff(withinMs),
      ]);
    } finally {
      this.outcomes.close();
      await this.#atMost(LET_GO_MS, 'its store', [this.#store.close()]);
    }
  }

  /** From here on the gate lets nothing pass, so that a process which takes itself off the list sends nothing afterwards. */
  async #signOff(withinMs: number): Promise<void> {
    const reporter = this.#reporter;
    if (reporter === null) return;
    await this.#feed.close();
    this.lease.revoke();
    await this.intents.idle();
    await this.outcomes.flush(withinMs);
    await reporter.close(() => this.outcomes.waiting === 0 && this.outcomes.dropped === 0);
  }

  /** Closing goes on though something of it does not end, or fails: the process is to end. */
  async #atMost(ms: number, what: string, ending: readonly Promise<unknown>[]): Promise<void> {
    const late = (): Error =>
      new KilldrillError(
        'CLOSE_LATE',
        `a runtime that closes has not waited for ${what}, which took more than ${ms} ms`,
      );
    try {
      await within(this.#clock, ms, Promise.all(ending), late);
    } catch (error) {
      this.#report(error);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve);
    });
  }
}
