import fc from 'fast-check';
import { canonicalText, engagementOf, parseFlip } from '../../src/flip-text.ts';
import type { FlipRecord, FlipsAnswer, LoadAnswer, RelayAnswer } from '../../src/store/store.ts';
import type { Engagement, StopFlip } from '../../src/switch.ts';
import { ChainStore, releaseFlip, stopFlip } from './chain-store.ts';
import type { StoreFlaw } from './chain-store.ts';
import type { RegistryUnderTest } from './weaker-registry.ts';

/** What is on its way to the process: nothing says when, how often, or in which order it comes. */
type Message =
  | { readonly kind: 'flip'; readonly text: string; readonly record: FlipRecord | null }
  | { readonly kind: 'flips'; readonly answer: FlipsAnswer }
  | { readonly kind: 'load'; readonly answer: LoadAnswer }
  | { readonly kind: 'relayed'; readonly id: string; readonly answer: RelayAnswer };

/** What happens in the world, one thing after another. */
export type Action =
  | { readonly kind: 'stop'; readonly what: number; readonly path: 'store' | 'early' | 'both' }
  | { readonly kind: 'release'; readonly which: number; readonly all: boolean }
  | { readonly kind: 'deliver'; readonly which: number; readonly again: boolean; readonly upTo: number }
  | { readonly kind: 'drop'; readonly which: number }
  | { readonly kind: 'lose commits'; readonly count: number; readonly restored: boolean }
  | { readonly kind: 'ask flips' | 'ask load' | 'relay' | 'fetch' | 'time passes' };

const SWITCHES: readonly Partial<StopFlip>[] = [
  { scope: 'global', target: '*', mode: 'halt_noncritical' },
  { scope: 'tenant', target: 'acme', mode: 'halt_all' },
  { scope: 'tenant', target: 'acme', mode: 'emergency' },
  { scope: 'capability', target: 'write/*', mode: 'halt_all' },
  { scope: 'run', target: 'r1', mode: 'halt_all' },
];

const at = fc.nat(7);
export const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('stop' as const),
        what: at,
        path: fc.constantFrom('store' as const, 'early' as const, 'both' as const),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), which: at, all: fc.boolean() }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('deliver' as const),
        which: at,
        again: fc.boolean(),
        upTo: fc.integer({ min: 1, max: 9 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), which: at }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('lose commits' as const),
        count: fc.integer({ min: 0, max: 3 }),
        restored: fc.boolean(),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'ask flips' as const,
          'ask load' as const,
          'relay' as const,
          'fetch' as const,
          'fetch' as const,
          'time passes' as const,
        ),
      }),
    },
  ),
  { maxLength: 40 },
);

/** A process among several paths, its store, and beside them what must be true of it. */
export class RegistryWorld {
  readonly store: ChainStore;
  readonly #registry: RegistryUnderTest;
  #network: Message[] = [];
  #made = 0;
  /** The oracle: every stop that has come by any path and has not ended in the prefix that was applied, or by an answer. */
  readonly #must = new Map<string, Engagement>();
  readonly #ended = new Set<string>();
  /** Stops that the applied prefix, or the last load, holds. */
  #inPrefix = new Set<string>();

  constructor(registry: RegistryUnderTest, storeFlaw: StoreFlaw) {
    this.#registry = registry;
    this.store = new ChainStore(storeFlaw);
    this.#load(this.store.load());
  }

  act(action: Action): void {
    switch (action.kind) {
      case 'stop':
        return this.#stop(action.what, action.path);
      case 'release':
        return this.#release(action.which, action.all);
      case 'deliver':
        return this.#deliver(action);
      case 'drop':
        this.#network = this.#network.filter((_, place) => place !== action.which % Math.max(1, this.#network.length));
        return;
      case 'lose commits':
        this.store.lose(action.count);
        if (action.restored) this.store.restore();
        return;
      default:
        return this.#ask(action.kind);
    }
  }

  #ask(kind: 'ask flips' | 'ask load' | 'relay' | 'fetch' | 'time passes'): void {
    const { head } = this.#registry;
    if (kind === 'time passes') this.#registry.tick?.();
    else if (kind === 'ask load') this.#network.push({ kind: 'load', answer: this.store.load() });
    else if (kind === 'relay') this.#relay((message) => this.#network.push(message));
    else if (head !== null && kind === 'ask flips')
      this.#network.push({ kind: 'flips', answer: this.store.flipsAfter(head) });
    else if (head !== null) this.#flips(this.store.flipsAfter(head), 99);
  }

  #stop(what: number, path: 'store' | 'early' | 'both'): void {
    this.#made += 1;
    const flip = stopFlip(`e${this.#made}`, SWITCHES[what % SWITCHES.length]);
    const text = canonicalText(flip);
    const record = path === 'early' ? null : this.store.commit(flip);
    if (record !== null) this.#network.push({ kind: 'flip', text, record });
    if (path !== 'store') this.#network.push({ kind: 'flip', text, record: null });
  }

  #release(which: number, all: boolean): void {
    const open = this.store.openIds();
    const named = all ? open : open.slice(which % Math.max(1, open.length)).slice(0, 1);
    if (named.length === 0) return;
    this.#made += 1;
    const record = this.store.commit(releaseFlip(`x${this.#made}`, named));
    this.#network.push({ kind: 'flip', text: record.text, record });
  }

  #deliver({ which, again, upTo }: { readonly which: number; readonly again: boolean; readonly upTo: number }): void {
    const place = which % Math.max(1, this.#network.length);
    const message = this.#network[place];
    if (message === undefined) return;
    if (!again) this.#network.splice(place, 1);
    this.#receive(message, upTo);
  }

  #receive(message: Message, upTo: number): void {
    switch (message.kind) {
      case 'flip':
        return this.#arrive(message);
      case 'flips':
        return this.#flips(message.answer, upTo);
      case 'load':
        return this.#load(message.answer);
      case 'relayed':
        if (message.answer.kind === 'closed' && !this.#inPrefix.has(message.id)) this.#over(message.id);
        return this.#registry.relayed(message.id, message.answer);
      default:
        throw new Error(`unknown message ${JSON.stringify(message satisfies never)}`);
    }
  }

  #arrive({ text, record }: { readonly text: string; readonly record: FlipRecord | null }): void {
    const flip = parseFlip(text);
    if (flip.kind === 'stop' && !this.#ended.has(flip.id) && !this.#must.has(flip.id))
      this.#must.set(flip.id, engagementOf(flip));
    this.#registry.arrive({ text, signature: null, place: record });
  }

  #flips(answer: FlipsAnswer, upTo: number): void {
    if (answer.kind === 'diverged') return this.#load(this.store.load());
    const from = this.#registry.head?.revision ?? 0;
    const result = this.#registry.apply(answer.flips.slice(0, upTo));
    const to = this.#registry.head?.revision ?? 0;
    for (const { revision, text } of answer.flips) if (revision > from && revision <= to) this.#inThePrefix(text);
    if (result.kind === 'diverged') this.#load(this.store.load());
  }

  #inThePrefix(text: string): void {
    const flip = parseFlip(text);
    if (flip.kind === 'release') return flip.engagements.forEach((id) => this.#over(id));
    this.#must.set(flip.id, engagementOf(flip));
    this.#inPrefix.add(flip.id);
    this.#ended.delete(flip.id);
  }

  #over(id: string): void {
    this.#must.delete(id);
    this.#ended.add(id);
    this.#inPrefix.delete(id);
  }

  #load(answer: LoadAnswer): void {
    this.#inPrefix = new Set();
    for (const { text } of answer.open) this.#inThePrefix(text);
    this.#registry.load(answer);
  }

  #relay(send: (message: Message) => void): void {
    for (const { id, text } of this.#registry.toRelay()) send({ kind: 'relayed', id, answer: this.store.relay(text) });
  }

  /** What is wrong now; null when nothing is. */
  wrong(): string | null {
    const missing = [...this.#must.keys()].filter((id) => !this.#enforced().includes(id));
    if (missing.length > 0) return `set free of ${missing.join()}, which came and has not ended`;
    const extra = this.#enforced().filter((id) => !this.#must.has(id));
    if (extra.length > 0) return `halted by ${extra.join()}, which has ended`;
    const twice = this.#openedTwice();
    return twice === undefined ? null : `${twice} was opened twice`;
  }

  #enforced(): string[] {
    return this.#registry.openEngagements().map(({ id }) => id);
  }

  #openedTwice(): string | undefined {
    const opened = this.store.flips.map(({ text }) => parseFlip(text)).filter(({ kind }) => kind === 'stop');
    return opened.map(({ id }) => id).find((id, place, ids) => ids.indexOf(id) !== place);
  }

  /** Faults end: all that is on its way arrives, and the process fetches and relays as often as it needs. */
  quiet(): void {
    for (const message of this.#network.splice(0)) this.#receive(message, 99);
    this.#rounds();
  }

  #rounds(): void {
    for (let round = 0; round < 4; round += 1) {
      this.#ask('fetch');
      this.#relay((message) => this.#receive(message, 99));
    }
    this.#ask('fetch');
  }

  /** After `quiet`: whether process and store are of one mind. */
  disagreement(): string | null {
    const here = JSON.stringify(this.#registry.openEngagements().toSorted(byId));
    const there = JSON.stringify(this.store.openEngagements().toSorted(byId));
    if (here !== there) return `the process enforces ${here}, the store says ${there}`;
    return this.#registry.toRelay().length === 0 ? null : 'the process still relays';
  }

  /** After `quiet`: the operator releases all that the store shows; is anything halted then? */
  stillHalted(): string | null {
    this.#release(0, true);
    this.#rounds();
    return this.#enforced().length === 0 ? null : `${this.#enforced().join()} halts for ever`;
  }
}

function byId(one: Engagement, other: Engagement): number {
  return one.id < other.id ? -1 : 1;
}
