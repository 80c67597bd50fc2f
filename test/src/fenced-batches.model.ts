import fc from 'fast-check';
import type { Decider } from '../../src/decider.ts';
import { RegistryDecider, haltedByOperator, haltedUnverified } from '../../src/decider.ts';
import { FencedBatches } from '../../src/fenced-batches.ts';
import type { FencedTraffic } from '../../src/fenced-batches.ts';
import type { HaltedError } from '../../src/halted-error.ts';
import { Lease } from '../../src/lease.ts';
import { Registry } from '../../src/registry.ts';
import type { FenceAnswer, FlipRecord, Head } from '../../src/store/store.ts';
import type { StopFlip, Subject } from '../../src/switch.ts';
import { ChainStore, NAMESPACE, releaseFlip, stopFlip, subjectOf } from './chain-store.ts';
import { ManualClock, settled } from './manual-clock.ts';
import { refuses } from './oracle.ts';

/** A wording weaker than DESIGN §3.4. */
export type BatchFlaw =
  | 'none'
  | 'decided when queued, not when sent'
  | 'decided in one tick, head read in a later one'
  | 'an unanswered batch is sent again under the same ids'
  | 'compares by revision number only';

type Plain = 'fetch' | 'load' | 'fence' | 'answer' | 'round trip' | 'question lost' | 'answer lost' | 'store restarts';

export type Action =
  | { readonly kind: 'admit'; readonly who: number }
  | { readonly kind: 'stop' | 'release'; readonly what: number }
  | { readonly kind: 'notify'; readonly which: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'lose commits'; readonly count: number; readonly restored: boolean }
  | { readonly kind: Plain };

function weighted(weight: number, ...kinds: Plain[]): { weight: number; arbitrary: fc.Arbitrary<Action> } {
  return { weight, arbitrary: fc.record({ kind: fc.constantFrom(...kinds) }) };
}

const at = fc.nat(5);
/** Mostly ordinary days: where everything fails nothing gets in, and a model of that proves nothing. */
export const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('admit' as const), who: at }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('stop' as const), what: at }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const), what: at }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('notify' as const), which: at }) },
    weighted(16, 'fence', 'answer', 'round trip', 'fetch'),
    weighted(1, 'question lost', 'answer lost', 'store restarts', 'load'),
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('lose commits' as const),
        count: fc.integer({ min: 0, max: 2 }),
        restored: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(50, 400, 1_300) }) },
  ),
  { minLength: 5, maxLength: 50, size: 'max' },
);

const WHO: readonly Subject[] = [
  subjectOf({ agent: 'a1', tenant: 'acme', capability: 'write/mail' }),
  subjectOf({ agent: 'a2', tenant: 'acme', capability: 'read/crm' }),
  subjectOf({ agent: 'a3', tenant: 'other', run: 'r3', capability: 'write/mail' }),
];
const STOPS: readonly Partial<StopFlip>[] = [
  {},
  { scope: 'tenant', target: 'acme' },
  { scope: 'capability', target: 'write/*', mode: 'emergency' },
  { scope: 'run', target: 'r3' },
];

interface Item {
  readonly id: number;
  readonly who: Subject;
}

interface Travelling {
  readonly head: Head;
  readonly items: readonly Item[];
  readonly resolve: (answer: FenceAnswer) => void;
  readonly reject: (error: Error) => void;
  /** What the store said, once it has looked. */
  answer: FenceAnswer | null;
}

/** One process with its batches, a fence that may be slow or silent, and an oracle that looks over its shoulder. */
export class BatchWorld {
  readonly store: ChainStore;
  readonly clock = new ManualClock();
  readonly registry = new Registry(NAMESPACE);
  readonly lease = new Lease(this.clock);
  readonly #decider: Decider = new RegistryDecider(this.registry, this.lease);
  readonly #flaw: BatchFlaw;
  readonly #batches: FencedBatches<Item, number>;
  #travelling: Travelling | null = null;
  readonly #sentIds = new Set<number>();
  #lastId = 0;
  #flips = 0;
  readonly #notices: FlipRecord[] = [];
  #needsLoad = false;
  #wrong: string | null = null;
  #open = 0;
  admitted = 0;

  constructor(flaw: BatchFlaw) {
    this.#flaw = flaw;
    this.store = new ChainStore(flaw === 'compares by revision number only' ? flaw : 'none');
    this.#load();
    const { registry, lease } = this;
    const diverged = (): void => {
      this.#needsLoad = true;
    };
    this.#batches = new FencedBatches({ registry, lease, diverged }, this.#traffic(), {
      maxBatch: 2,
      maxBatchLength: 50,
      maxWaiting: 50,
      maxRounds: 32,
    });
  }

  #traffic(): FencedTraffic<Item, number> {
    return {
      send: (head, items) => {
        if (this.#flaw === 'decided in one tick, head read in a later one') return this.#sendLater(items);
        if (this.#flaw !== 'an unanswered batch is sent again under the same ids') return this.#send(head, items);
        return this.#send(head, items).catch(() => this.#send(head, items));
      },
      lengthOf: () => 1,
      admitted: ({ id }) => id,
      disowned: () => false,
      givenUp: () => undefined,
    };
  }

  /** The head is read when the connection is free, not when the batch was decided. */
  async #sendLater(items: readonly Item[]): Promise<FenceAnswer> {
    for (let turn = 0; turn < 3; turn += 1) await settled();
    return this.#send(this.registry.head ?? this.store.head, items);
  }

  #send(head: Head, items: readonly Item[]): Promise<FenceAnswer> {
    if (this.#travelling !== null) this.#wrong ??= 'two batches in flight';
    for (const { id } of items) {
      if (this.#sentIds.has(id)) this.#wrong ??= `intent ${id} was sent twice`;
      this.#sentIds.add(id);
    }
    return new Promise((resolve, reject) => {
      this.#travelling = { head, items, resolve, reject, answer: null };
    });
  }

  async act(action: Action): Promise<void> {
    switch (action.kind) {
      case 'admit':
        this.#admit(WHO[action.who % WHO.length] ?? subjectOf());
        break;
      case 'stop':
        this.#flips += 1;
        this.#notices.push(this.store.commit(stopFlip(`e${this.#flips}`, STOPS[action.what % STOPS.length])));
        break;
      case 'release':
        this.release(action.what);
        break;
      case 'notify':
        this.#notify(action.which);
        break;
      case 'pass':
        this.clock.advance(action.ms);
        this.store.ageMs += action.ms;
        break;
      case 'lose commits':
        this.store.lose(action.count);
        if (action.restored) this.store.restore();
        break;
      default:
        this.#step(action.kind);
    }
    await settled();
  }

  #step(kind: Plain): void {
    const travelling = this.#travelling;
    if (kind === 'fetch' && !this.#needsLoad) this.fetch();
    else if (kind === 'fetch' || kind === 'load') this.#load();
    else if (kind === 'store restarts') this.store.ageMs = 300;
    else if (travelling === null) return;
    else if (kind === 'fence') travelling.answer ??= this.#fence(travelling);
    else if (kind === 'answer' || kind === 'round trip') this.#answer(travelling, kind);
    else if (kind === 'answer lost' || travelling.answer === null) this.#silence(travelling);
  }

  /** The store's own moment: here an item is in, or is not. */
  #fence({ head, items }: Travelling): FenceAnswer {
    const answer = this.store.fence(head);
    if (answer.kind !== 'admitted') return answer;
    for (const { id, who } of items) {
      if (refuses(this.store.openEngagements(), who))
        this.#wrong ??= `intent ${id} got in behind a stop that covers it`;
    }
    return answer;
  }

  #answer(travelling: Travelling, kind: 'answer' | 'round trip'): void {
    if (kind === 'round trip') travelling.answer ??= this.#fence(travelling);
    if (travelling.answer === null) return;
    this.#travelling = null;
    travelling.resolve(travelling.answer);
  }

  #silence(travelling: Travelling): void {
    this.#travelling = null;
    travelling.reject(new Error('the store did not answer'));
  }

  #admit(who: Subject): void {
    const first = this.#refusal(who);
    if (first !== null) return;
    const again = this.#flaw === 'decided when queued, not when sent' ? () => null : () => this.#refusal(who);
    const make = (): Item => {
      if (this.#flaw !== 'decided when queued, not when sent' && this.#refusal(who) !== null)
        this.#wrong ??= 'not decided again';
      this.#lastId += 1;
      return { id: this.#lastId, who };
    };
    this.#open += 1;
    this.#batches.admit(who.agent, make, again).then(
      () => {
        this.admitted += 1;
        this.#open -= 1;
      },
      () => {
        this.#open -= 1;
      },
    );
  }

  #refusal(who: Subject): HaltedError | null {
    const stop = this.#decider.stopFor(who);
    if (stop !== null) return haltedByOperator(who.agent, stop);
    return this.#decider.verified() ? null : haltedUnverified(who.agent);
  }

  #notify(which: number): void {
    const record = this.#notices[which % Math.max(1, this.#notices.length)];
    if (record !== undefined) this.registry.arrive({ text: record.text, signature: null, place: record });
  }

  release(which: number): void {
    const open = this.store.openIds();
    const id = open[which % Math.max(1, open.length)];
    if (id === undefined) return;
    this.#flips += 1;
    this.store.commit(releaseFlip(`x${this.#flips}`, [id]));
  }

  fetch(): void {
    const { registry, lease, store } = this;
    if (registry.head === null || this.#needsLoad) return;
    const asked = lease.asked();
    const answer = store.flipsAfter(registry.head);
    if (answer.kind === 'flips' && registry.apply(answer.flips).kind === 'applied') {
      lease.renew(asked, answer);
    } else {
      lease.revoke();
      this.#needsLoad = true;
    }
  }

  #load(): void {
    const asked = this.lease.asked();
    const answer = this.store.load();
    this.registry.load(answer);
    this.#needsLoad = false;
    this.lease.renew(asked, answer);
  }

  wrong(): string | null {
    return this.#wrong;
  }

  /** Faults end. What is wrong if not everybody was answered, or somebody new cannot get in? */
  async quiet(): Promise<string | null> {
    this.clock.advance(5_000);
    this.store.ageMs = 60_000;
    for (let round = 0; round < 3; round += 1) {
      while (this.store.openIds().length > 0) this.release(0);
      this.fetch();
      if (this.#needsLoad) this.#load();
      for (const { id, text } of this.registry.toRelay()) this.registry.relayed(id, this.store.relay(text));
      await this.#drain();
    }
    const before = this.admitted;
    for (const who of WHO) this.#admit(who);
    await this.#drain();
    if (this.#open > 0) return `${this.#open} items wait for ever`;
    return this.admitted === before + WHO.length ? null : 'nobody gets in any more';
  }

  async #drain(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 5;) {
      await settled();
      quietTurns = this.#travelling === null ? quietTurns + 1 : 0;
      this.#step('fence');
      this.#step('answer');
    }
  }
}
