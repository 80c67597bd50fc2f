import fc from 'fast-check';
import { canonicalText, parseFlip } from '../../src/flip-text.ts';
import { signHead } from '../../src/head-signature.ts';
import type { Registry } from '../../src/registry.ts';
import { MemoryState } from '../../src/store/memory-state.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import type { FlipRecord, LoadAnswer } from '../../src/store/store.ts';
import type { TestKeys } from './flip-keys.ts';
import { releaseText, stopText } from './store/samples.ts';

export const NAMESPACE = 'fleet';
const SIGNERS = ['releaser', 'stopper', 'stranger', 'nobody', 'junk'] as const;
type Signer = (typeof SIGNERS)[number];

/** What the model needs of a registry. */
export type ProofUnderTest = Pick<
  Registry,
  'arrive' | 'apply' | 'load' | 'relayed' | 'openEngagements' | 'head' | 'proofWanted' | 'toRelay'
>;

/** What happens in the world; who signs is drawn too. */
export type ProofAction =
  | { readonly kind: 'stop'; readonly signer: Signer; readonly path: 'chain' | 'early' | 'relay' | 'both' }
  | { readonly kind: 'release'; readonly which: number; readonly signer: Signer; readonly again: boolean }
  | { readonly kind: 'notify release' | 'notify foreign'; readonly which: number; readonly signer: Signer }
  | { readonly kind: 'steal id'; readonly which: number }
  | { readonly kind: 'sign head'; readonly signer: 'releaser' | 'stopper' | 'junk' }
  | { readonly kind: 'fetch' | 'reload' | 'restart' | 'relay' | 'replay' };

const which = fc.nat(5);
const signer = fc.constantFrom(...SIGNERS);
export const proofActions: fc.Arbitrary<ProofAction[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('stop' as const),
        signer,
        path: fc.constantFrom('chain' as const, 'early' as const, 'relay' as const, 'both' as const),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const), which, signer, again: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('notify release' as const, 'notify foreign' as const),
        which,
        signer,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('steal id' as const), which }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('sign head' as const),
        signer: fc.constantFrom('releaser' as const, 'stopper' as const, 'junk' as const),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'fetch' as const,
          'reload' as const,
          'restart' as const,
          'relay' as const,
          'replay' as const,
        ),
      }),
    },
  ),
  { maxLength: 30 },
);

/** A fleet's process, its store, and somebody who forges; beside them what must be true of the process. */
export class ProofWorld {
  readonly #make: () => ProofUnderTest;
  readonly #keys: TestKeys;
  readonly #store = new MemoryStore(new MemoryState({ namespace: NAMESPACE }));
  #registry: ProofUnderTest;
  #made = 0;
  /** The oracle: what a key has said to stop, or the chain, and no release key has lifted since. */
  readonly #must = new Set<string>();
  /** What the chain opened, whether or not the process has heard. */
  readonly #inChain = new Set<string>();
  /** What a release key has lifted. */
  readonly #lifted = new Set<string>();
  /** What only junk has asked for. */
  readonly #mustNot = new Set<string>();
  /** Signed stops that this life of the process has heard early. */
  readonly #heard = new Set<string>();
  #lastRelease: FlipRecord | null = null;

  constructor(make: () => ProofUnderTest, keys: TestKeys) {
    this.#make = make;
    this.#keys = keys;
    this.#registry = make();
  }

  async start(): Promise<void> {
    await this.#load();
  }

  async act(action: ProofAction): Promise<void> {
    switch (action.kind) {
      case 'stop':
        return this.#stop(action.signer, action.path);
      case 'release':
        return this.#release(action);
      case 'notify release':
      case 'notify foreign':
        return this.#notify(action);
      case 'steal id':
        return this.#steal(action.which);
      case 'sign head':
        return this.#signHead(action.signer);
      default:
        return this.#ask(action.kind);
    }
  }

  async #stop(by: Signer, path: 'chain' | 'early' | 'relay' | 'both'): Promise<void> {
    this.#made += 1;
    const id = `e${this.#made}`;
    const text = stopText(NAMESPACE, { id });
    const signature = this.#sign(by, text);
    if (path === 'early' || path === 'both') {
      this.#arrive(text, signature);
      if (by === 'releaser' || by === 'stopper') {
        this.#must.add(id);
        this.#heard.add(id);
      } else this.#mustNot.add(id);
      if (path === 'early') return;
      // Somebody else has put it into the store, and this process has not heard of that.
      await this.#store.flip(text, signature);
      this.#inChain.add(id);
    } else {
      await (path === 'relay' ? this.#store.relay(text, signature) : this.#store.flip(text, signature));
      this.#inChain.add(id);
      await this.#fetch();
    }
  }

  async #release(action: Extract<ProofAction, { kind: 'release' }>): Promise<void> {
    const known = [...this.#inChain];
    const id = known[action.which % Math.max(1, known.length)];
    if (id === undefined) return;
    const text = releaseText(NAMESPACE, [id], { id: `x${(this.#made += 1)}` });
    const signature = this.#sign(action.signer, text);
    try {
      const { record } = await this.#store.flip(text, signature, { again: action.again });
      if (action.signer !== 'releaser') return;
      this.#lifted.add(id);
      this.#lastRelease = record;
    } catch {
      // It was closed already, and the store says so.
    }
  }

  #notify({ kind, which: nth, signer: by }: Extract<ProofAction, { kind: 'notify release' | 'notify foreign' }>): void {
    const held = this.#registry.openEngagements();
    const id = held[nth % Math.max(1, held.length)]?.id;
    if (id === undefined) return;
    const namespace = kind === 'notify foreign' ? 'other' : NAMESPACE;
    const text = releaseText(namespace, [id]);
    this.#arrive(text, this.#sign(by, text));
  }

  /** A mild stop under the id of one that is held, put into the store by a relay. */
  async #steal(nth: number): Promise<void> {
    const early = this.#registry.toRelay();
    const id = early[nth % Math.max(1, early.length)]?.id;
    if (id === undefined || this.#inChain.has(id)) return;
    await this.#store.relay(stopText(NAMESPACE, { id, scope: 'run', target: 'r1', mode: 'halt_noncritical' }), 'junk');
    this.#inChain.add(id);
  }

  async #signHead(by: 'releaser' | 'stopper' | 'junk'): Promise<void> {
    const { head } = await this.#store.load();
    if (head.revision === 0) return;
    const open = await this.#openInStore();
    const isProven = [...this.#inChain].every((id) => this.#lifted.has(id) || open.has(id));
    // Whoever may release looks before signing, as vouchForHead does.
    if (by === 'releaser' && !isProven) return;
    const signed = by === 'junk' ? { ...head, signature: 'junk' } : signHead(NAMESPACE, head, this.#keys[by].sign);
    await this.#store.audit().signHead(signed);
  }

  async #ask(kind: 'fetch' | 'reload' | 'restart' | 'relay' | 'replay'): Promise<void> {
    if (kind === 'fetch') return this.#fetch();
    if (kind === 'reload') return this.#load();
    if (kind === 'relay') return this.#relay();
    if (kind === 'replay') {
      if (this.#lastRelease !== null) this.#arrive(this.#lastRelease.text, this.#lastRelease.signature);
      return;
    }
    // What only this process held is gone with it: nobody else could know.
    for (const id of this.#must) if (!this.#inChain.has(id)) this.#must.delete(id);
    this.#heard.clear();
    this.#registry = this.#make();
    return this.#load();
  }

  async #fetch(): Promise<void> {
    const { head } = this.#registry;
    if (head === null) return this.#load();
    const answer = await this.#store.flipsAfter(head);
    if (answer.kind === 'flips') this.#registry.apply(answer.flips);
    this.#upToDate();
  }

  async #load(): Promise<void> {
    for (const proof of [this.#registry.proofWanted, 'all'] as const) {
      const answer: LoadAnswer = await this.#store.load(proof);
      if (this.#registry.load(answer)) break;
    }
    this.#upToDate();
  }

  async #openInStore(): Promise<ReadonlySet<string>> {
    return new Set((await this.#store.load()).open.map(({ text }) => parseFlip(text).id));
  }

  /** The process has heard all that is in the chain. */
  #upToDate(): void {
    for (const id of this.#inChain) {
      if (this.#lifted.has(id)) this.#must.delete(id);
      else this.#must.add(id);
      this.#mustNot.delete(id);
    }
  }

  async #relay(): Promise<void> {
    for (const { id, text, signature } of this.#registry.toRelay()) {
      try {
        const answer = await this.#store.relay(text, signature);
        this.#inChain.add(id);
        this.#registry.relayed(id, answer);
      } catch {
        // Its id was stolen.
      }
    }
    await this.#fetch();
  }

  #arrive(text: string, signature: string | null): void {
    try {
      this.#registry.arrive({ text, signature, place: null });
    } catch {
      // Of another namespace.
    }
  }

  #sign(by: Signer, text: string): string | null {
    if (by === 'nobody') return null;
    return by === 'junk' ? 'junk' : this.#keys[by].sign(text);
  }

  /** What is wrong now; null when nothing is. */
  wrong(): string | null {
    const held = new Map(this.#registry.openEngagements().map((one) => [one.id, one]));
    const missing = [...this.#must].filter((id) => !held.has(id));
    if (missing.length > 0) return `set free of ${missing.join()} without a release by who may release`;
    const junk = [...held.keys()].filter((id) => this.#mustNot.has(id));
    if (junk.length > 0) return `halted by ${junk.join()}, which nobody has signed`;
    const weakened = [...this.#heard].find((id) => held.get(id)?.scope === 'run');
    return weakened === undefined ? null : `the signed ${weakened} was replaced by junk`;
  }

  /** After all: a signed release of each ends everything. */
  async stillHalted(): Promise<string | null> {
    await this.#relay();
    await this.#fetch();
    for (const { id } of this.#registry.openEngagements()) {
      if (!this.#inChain.has(id)) continue;
      const text = canonicalText(JSON.parse(releaseText(NAMESPACE, [id])));
      await this.#store.flip(text, this.#keys.releaser.sign(text), { again: true });
    }
    await this.#fetch();
    const left = this.#registry.openEngagements().map(({ id }) => id);
    return left.length === 0 ? null : `${left.join()} halts for ever`;
  }
}
