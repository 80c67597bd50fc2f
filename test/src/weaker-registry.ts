import { chainHash } from '../../src/flip-chain.ts';
import { engagementOf, parseFlip } from '../../src/flip-text.ts';
import type { ApplyResult, ArrivedStop, Registry } from '../../src/registry.ts';
import type { FlipRecord, Head, LoadAnswer, RelayAnswer } from '../../src/store/store.ts';
import type { Engagement } from '../../src/switch.ts';

/** What the model needs of a registry. */
export type RegistryUnderTest = Pick<
  Registry,
  'head' | 'arrive' | 'apply' | 'load' | 'toRelay' | 'relayed' | 'openEngagements'
> & { readonly tick?: () => void };

/** A wording weaker than DESIGN §3.5; each had a counterexample in `models/`, or in this model. */
export type RegistryFlaw =
  | 'none'
  | 'releases apply on arrival'
  | 'one high-water mark'
  | 'early stops dropped on reload'
  | 'early stops time out'
  | 'compares by revision number only'
  | 'trusts the place of a late stop'
  | 'relays only stops without a place'
  | 'a closed stop stays';

interface Held {
  readonly record: ArrivedStop;
  readonly engagement: Engagement;
  readonly early: boolean;
}

/** A registry as short as it can be, right with the flaw `none`, wrong in one way with any other. */
export class WeakerRegistry implements RegistryUnderTest {
  head: Head | null = null;
  #held = new Map<string, Held>();
  readonly #ended = new Set<string>();
  readonly #flaw: RegistryFlaw;

  constructor(flaw: RegistryFlaw) {
    this.#flaw = flaw;
  }

  openEngagements(): readonly Engagement[] {
    return [...this.#held.values()].map(({ engagement }) => engagement);
  }

  arrive(record: ArrivedStop): boolean {
    const flip = parseFlip(record.text);
    const { place } = record;
    if (flip.kind === 'release') {
      if (this.#flaw === 'releases apply on arrival') for (const id of flip.engagements) this.#end(id);
      return false;
    }
    const passed =
      place !== null && this.head !== null && place.epoch === this.head.epoch && place.revision <= this.head.revision;
    if (passed && this.#flaw === 'trusts the place of a late stop') return false;
    if (this.#held.has(flip.id) || this.#ended.has(flip.id)) return false;
    const marked = this.#flaw === 'one high-water mark' && isAhead(place, this.head);
    if (marked && isAhead(place, this.head)) this.head = place;
    this.#held.set(flip.id, { record, engagement: engagementOf(flip), early: !marked });
    return true;
  }

  apply(flips: readonly FlipRecord[]): ApplyResult {
    if (this.head === null) return { kind: 'gap' };
    for (const record of flips) {
      if (record.revision <= this.head.revision) continue;
      if (record.revision !== this.head.revision + 1) return { kind: 'gap' };
      const hash = chainHash(this.head.hash, record.epoch, record.revision, record.text);
      if (hash !== record.hash && this.#flaw !== 'compares by revision number only') return { kind: 'diverged' };
      this.#take(record);
      this.head = { epoch: record.epoch, revision: record.revision, hash: record.hash };
    }
    return { kind: 'applied', stops: 0, releases: 0 };
  }

  #take({ text, signature, epoch, revision }: FlipRecord): void {
    const flip = parseFlip(text);
    if (flip.kind === 'release') return flip.engagements.forEach((id) => this.#end(id));
    const record = { text, signature, place: { epoch, revision } };
    this.#ended.delete(flip.id);
    this.#held.set(flip.id, { record, engagement: engagementOf(flip), early: false });
  }

  load(answer: LoadAnswer): boolean {
    const before = this.#held;
    this.#held = new Map();
    for (const record of answer.open) this.#take(record);
    this.head = answer.head;
    if (this.#flaw === 'early stops dropped on reload') return true;
    for (const [id, { record, engagement }] of before) {
      if (!this.#held.has(id)) this.#held.set(id, { record: { ...record, place: null }, engagement, early: true });
    }
    return true;
  }

  toRelay(): ReturnType<Registry['toRelay']> {
    return [...this.#held]
      .filter(([, { early }]) => early)
      .filter(([, { record }]) => this.#flaw !== 'relays only stops without a place' || record.place === null)
      .map(([id, { record }]) => ({ id, text: record.text, signature: record.signature }));
  }

  relayed(id: string, answer: RelayAnswer): void {
    if (this.#held.get(id)?.early !== true || answer.kind === 'open') return;
    if (this.#flaw !== 'a closed stop stays') this.#end(id);
  }

  tick(): void {
    if (this.#flaw !== 'early stops time out') return;
    for (const [id, { early }] of this.#held) if (early) this.#held.delete(id);
  }

  #end(id: string): void {
    this.#held.delete(id);
    this.#ended.add(id);
  }
}

/** The mark of what arrived, hash and all, as if everything before it had come too. */
function isAhead(place: ArrivedStop['place'], head: Head | null): place is Head {
  return place !== null && head !== null && 'hash' in place && place.revision > head.revision;
}
