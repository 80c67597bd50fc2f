import { RegistryDecider } from '../../src/decider.ts';
import type { Effect } from '../../src/effect.ts';
import { Gate } from '../../src/gate.ts';
import type { GateObserver } from '../../src/gate-observer.ts';
import { InFlight } from '../../src/in-flight.ts';
import { IntentJournal } from '../../src/journal/intents.ts';
import { OutcomeBuffer } from '../../src/journal/outcomes.ts';
import { Lease } from '../../src/lease.ts';
import { Registry } from '../../src/registry.ts';
import type { FenceAnswer, Head, Intent, Outcome } from '../../src/store/store.ts';
import type { StopFlip } from '../../src/switch.ts';
import { ChainStore, NAMESPACE, releaseFlip, stopFlip } from './chain-store.ts';
import { ManualClock, settled } from './manual-clock.ts';

export const MAIL: Effect = { capability: 'write/mail', access: 'write', idempotencyKey: 'key-1', deadlineMs: 1_000 };
export const LOOKUP: Effect = { ...MAIL, capability: 'read/crm', access: 'read', journal: false };

/** A gate with everything behind it genuine, but for the store, whose fence answers when it is told to. */
export class GateRig {
  readonly clock = new ManualClock();
  readonly store = new ChainStore();
  readonly registry = new Registry(NAMESPACE);
  readonly lease = new Lease(this.clock);
  readonly inFlight: InFlight;
  readonly outcomes: OutcomeBuffer;
  readonly gate: Gate;
  /** Batches that reached the fence. */
  readonly sent: (readonly Intent[])[] = [];
  readonly recorded: Outcome[] = [];
  /** While true the fence answers nobody; `letIn` makes it answer. */
  holding = false;
  readonly #held: (() => void)[] = [];
  #flips = 0;

  constructor(observer?: GateObserver) {
    const { clock, registry, lease } = this;
    this.verify();
    const decider = new RegistryDecider(registry, lease);
    this.inFlight = new InFlight(decider);
    registry.onChange(() => this.inFlight.abortStopped());
    this.outcomes = new OutcomeBuffer('i1', { record: (_, outcomes) => this.#record(outcomes) }, clock);
    const fence = {
      admitIntents: (_incarnation: string, head: Head, intents: readonly Intent[]) => this.#fence(head, intents),
      enqueue: () => Promise.reject(new Error('no queue here')),
    };
    const context = { registry, lease, diverged: () => undefined };
    const intents = new IntentJournal('i1', fence, this.outcomes, context);
    const { outcomes, inFlight } = this;
    const observed = observer === undefined ? {} : { observer };
    this.gate = new Gate({ decider, intents, outcomes, inFlight, clock, ...observed });
  }

  async #record(outcomes: readonly Outcome[]): Promise<void> {
    await Promise.resolve();
    this.recorded.push(...outcomes);
  }

  async #fence(head: Head, intents: readonly Intent[]): Promise<FenceAnswer> {
    this.sent.push(intents);
    const answer = this.store.fence(head);
    if (this.holding) await new Promise<void>((resolve) => this.#held.push(resolve));
    return answer;
  }

  /** The fence gives the answers that it has held back. */
  async letIn(): Promise<void> {
    this.holding = false;
    for (const answer of this.#held.splice(0)) answer();
    await settled();
  }

  /** A fresh load and a fresh lease. */
  verify(): void {
    this.registry.load(this.store.load());
    this.lease.renew(this.lease.asked(), this.store.load());
  }

  /** Trips a switch: the stop is durable, and reaches this process at once. */
  stop(what: Partial<StopFlip> = {}): string {
    this.#flips += 1;
    const record = this.store.commit(stopFlip(`e${this.#flips}`, what));
    this.registry.apply([record]);
    return `e${this.#flips}`;
  }

  release(...ids: readonly string[]): void {
    this.#flips += 1;
    this.registry.apply([this.store.commit(releaseFlip(`x${this.#flips}`, ids))]);
  }
}

/** A call that the test ends. */
export class HeldCall {
  started = 0;
  signal: AbortSignal | null = null;
  resolve: (value: string) => void = () => undefined;
  reject: (error: unknown) => void = () => undefined;

  readonly call = ({ signal }: { readonly signal: AbortSignal }): Promise<string> => {
    this.started += 1;
    this.signal = signal;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  };
}
