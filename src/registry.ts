import { EndedStops } from './ended-stops.ts';
import { KilldrillError } from './errors.ts';
import { continuesChain, headAfter } from './flip-chain.ts';
import { FlipProof } from './flip-proof.ts';
import type { ProofOptions, RefusedCounts } from './flip-proof.ts';
import { engagementOf, parseFlip } from './flip-text.ts';
import { inPrefix, stopOf } from './held-stop.ts';
import { HeldStops } from './held-stops.ts';
import type { ApplyResult, ArrivedStop, HeldStop } from './held-stop.ts';
import { Listeners } from './listeners.ts';
import { Engagements, decide } from './switch.ts';
import type { Decision, Engagement, Flip, Grounds, StopFlip, Subject } from './switch.ts';
import type { FlipRecord, Head, LoadAnswer, RelayAnswer } from './store/store.ts';

export type { ApplyResult, ArrivedStop } from './held-stop.ts';

/**
 * A process's picture of the flips: everything up to `head` (a contiguous prefix), plus stops that arrived early.
 *
 * Stops apply on arrival, by any path, in any order, once per id. Releases apply only when the contiguous prefix reaches
 * them. An early stop ends in two ways only: the prefix takes it over, or the store answers a relay with `closed`.
 */
export class Registry {
  readonly #namespace: string;
  readonly #proof: FlipProof;
  #grounds: Grounds = { critical: [], drains: new Map() };
  #stops = new HeldStops();
  #open = new Engagements();
  /** Stops that have ended here, in the prefix or by the store's answer: a late copy must not open them again. */
  readonly #ended = new EndedStops();
  #head: Head | null = null;
  #version = 1;
  readonly #listeners = new Listeners<Registry>();

  constructor(namespace: string, options: ProofOptions = {}) {
    this.#namespace = namespace;
    this.#proof = new FlipProof(namespace, options);
  }

  /** How often something was not taken for want of proof. */
  get refused(): RefusedCounts {
    return this.#proof.refused;
  }

  /** How much a load has to prove: nothing where no keys are told. */
  get proofWanted(): 'none' | 'signed' {
    return this.#proof.wanted;
  }

  /** Grows whenever a decision may have changed. */
  get version(): number {
    return this.#version;
  }

  /** Where the contiguous prefix ends (`appliedThrough`); null before the first full load. */
  get head(): Head | null {
    return this.#head;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Open engagements as enforced now, early ones included. */
  openEngagements(): readonly Engagement[] {
    return [...this.#open.values()];
  }

  /** The same as they were delivered, for those who hand them on. */
  openStops(): readonly { readonly id: string; readonly text: string; readonly signature: string | null }[] {
    return [...this.#stops.all()].map(([id, { text, signature }]) => ({ id, text, signature }));
  }

  /** Whether this stop has ended before our eyes; false of one that this process never knew. */
  hasEnded(id: string): boolean {
    return this.#ended.has(id);
  }

  /** The revision at which an enforced engagement was opened; null while the store has not said. */
  revisionOf(id: string): number | null {
    return this.#stops.get(id)?.revision ?? null;
  }

  /** What the operator declared critical, as of the last full load, and the drains that go on. */
  get grounds(): Grounds {
    return this.#grounds;
  }

  decide(subject: Subject): Decision {
    return decide(this.#open, subject, this.#grounds);
  }

  /** Open engagements that drain and whose time is not up; whoever holds a clock says `drainEnded` when it is. */
  drains(): readonly { readonly id: string; readonly drainMs: number }[] {
    return [...this.#open.draining()].flatMap(([id, drainMs]) =>
      this.#stops.get(id)?.drainOver === true ? [] : [{ id, drainMs }],
    );
  }

  /** The drain's time is up: from now on the engagement stops what it let pass. Stays so for as long as it is open. */
  drainEnded(id: string): void {
    const held = this.#stops.get(id);
    if (held === undefined || held.drainOver) return;
    this.#stops.set(id, { ...held, drainOver: true });
    this.#changed();
  }

  /** Calls `listener` after each change, in the same tick. A listener that throws hurts neither the registry nor the others. */
  onChange(listener: (registry: Registry) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Takes a full load. What was enforced before and is not in it is kept as an early stop and relayed: a history that lost
   * commits must not set anybody free. Nor does a release that nobody has signed: what it closed is enforced.
   *
   * @returns whether it was taken; if not, it proves too little, and one with all releases is to be asked for.
   * @throws KilldrillError `FLIP_UNREADABLE`, `FLIP_NAMESPACE` or `LOAD_UNREADABLE`; nothing has changed then.
   */
  load(answer: LoadAnswer): boolean {
    const disputed = this.#proof.disputed(answer);
    if (disputed === null) return false;
    const open = new Engagements();
    const stops = new HeldStops();
    for (const record of [...answer.open, ...disputed]) {
      const flip = stopOf(this.#read(record.text));
      if (this.#proof.prefers(this.#stops.get(flip.id), record)) continue;
      open.open(engagementOf(flip));
      stops.set(flip.id, inPrefix(record, this.#stops.isDrainOver(flip.id, record.text)));
    }
    for (const engagement of this.#open.values()) {
      const held = this.#stops.get(engagement.id);
      if (open.has(engagement.id) || held === undefined) continue;
      open.open(engagement);
      stops.set(engagement.id, { ...held, revision: null, early: true });
    }
    this.#open = open;
    this.#stops = stops;
    this.#head = answer.head;
    this.#grounds = { ...this.#grounds, critical: answer.critical };
    this.#changed();
    return true;
  }

  /** Applies fetched flips, which must follow our head without a gap and continue its chain of hashes. */
  apply(flips: readonly FlipRecord[]): ApplyResult {
    const before = this.#head;
    if (before === null) return { kind: 'gap' };
    try {
      return this.#applyAll(before, flips);
    } finally {
      // Also after an unreadable flip: what was applied before it is enforced, and must be told.
      if (this.#head !== before) this.#changed();
    }
  }

  #applyAll(from: Head, flips: readonly FlipRecord[]): ApplyResult {
    let head = from;
    let stops = 0;
    let releases = 0;
    for (const record of flips) {
      if (record.revision <= head.revision) continue;
      if (record.revision !== head.revision + 1) return { kind: 'gap' };
      if (!continuesChain(head, record)) return { kind: 'diverged' };
      if (this.#applyNext(record) === 'stop') stops += 1;
      else releases += 1;
      head = headAfter(record);
      this.#head = head;
    }
    return { kind: 'applied', stops, releases };
  }

  /**
   * How our prefix stands to a head that the store has just answered with. Only `reached` is proof that nobody said stop:
   * `behind` has flips yet to be fetched, `diverged` is another history.
   */
  standing(head: Head): 'reached' | 'behind' | 'diverged' {
    if (this.#head === null || this.#head.revision < head.revision) return 'behind';
    if (this.#head.revision > head.revision) return 'reached';
    return this.#head.epoch === head.epoch && this.#head.hash === head.hash ? 'reached' : 'diverged';
  }

  #applyNext(record: FlipRecord): Flip['kind'] {
    const flip = this.#read(record.text);
    if (flip.kind === 'stop') this.#enforceNext(flip, record);
    else if (this.#proof.lifts(flip.id, record)) for (const id of flip.engagements) this.#end(id);
    return flip.kind;
  }

  /** What is in the store's chain is enforced, signed or not: whoever writes there could stop us in other ways too. */
  #enforceNext(stop: StopFlip, record: FlipRecord): void {
    if (this.#proof.prefers(this.#stops.get(stop.id), record)) return;
    // Should an early copy have had another text under this id, the store's is the one that counts.
    if (this.#stops.get(stop.id)?.text !== record.text) this.#open.close(stop.id);
    this.#enforce(stop, inPrefix(record, this.#stops.isDrainOver(stop.id, record.text)));
  }

  /**
   * Takes a stop that some path delivered, before the prefix has reached it; where keys are told it has to be proven. A
   * release is ignored here.
   *
   * That the prefix is beyond the stop's place proves nothing, since a history that lost commits gives the place to another
   * flip: only a stop that has ended before our eyes is known to be over.
   *
   * @returns whether anything is enforced now that was not before.
   */
  arrive(stop: ArrivedStop): boolean {
    const flip = this.#read(stop.text);
    if (flip.kind === 'release') this.#proof.lifts(flip.id, stop);
    if (flip.kind !== 'stop' || this.#ended.has(flip.id)) return false;
    const held = this.#stops.get(flip.id);
    if (held !== undefined && !this.#proof.prefers(stop, held)) return false;
    if (!this.#proof.admits(flip.id, stop)) return false;
    const { text, signature, place, offered = 'here', authority = 'signature' } = stop;
    this.#open.close(flip.id);
    const drainOver = this.#stops.isDrainOver(flip.id, text);
    const revision = place?.revision ?? null;
    this.#enforce(flip, { text, signature, revision, early: true, offered, authority, drainOver });
    this.#changed();
    return true;
  }

  /** Whoever delivered an early stop takes it back: the store has refused it. */
  withdraw(id: string): void {
    const held = this.#stops.get(id);
    if (held === undefined || !held.early || !this.#proof.withdraws(held)) return;
    this.#end(id);
    this.#changed();
  }

  /**
   * Early stops to offer to the store. Ask after a fetch: what it has not brought has no place in the store's history, for
   * all that we know, even if a path named one, since its commit may be lost.
   */
  toRelay(): readonly { readonly id: string; readonly text: string; readonly signature: string | null }[] {
    return this.#stops
      .early()
      .flatMap(([id, { text, signature, offered }]) => (offered === 'here' ? [{ id, text, signature }] : []));
  }

  /** Whoever delivered this stop does not offer it to the store any more, or not alone: it is relayed from here. */
  offer(id: string): void {
    const held = this.#stops.get(id);
    if (held !== undefined) this.#stops.set(id, { ...held, offered: 'here' });
  }

  /** Takes the store's answer to a relayed stop. */
  relayed(id: string, answer: RelayAnswer): void {
    const held = this.#stops.get(id);
    if (held === undefined || !held.early) return;
    if (answer.kind === 'closed') {
      if (!this.#proof.closes(id, held.text, answer)) return;
      this.#end(id);
    } else {
      // It stays early until the prefix brings it; until then it is offered again.
      this.#stops.set(id, { ...held, revision: answer.revision });
    }
    this.#changed();
  }

  #enforce(stop: StopFlip, held: HeldStop): void {
    this.#open.open(engagementOf(stop));
    this.#stops.set(stop.id, held);
  }

  #end(id: string): void {
    this.#open.close(id);
    this.#stops.delete(id);
    this.#ended.add(id);
  }

  #read(text: string): Flip {
    const flip = parseFlip(text);
    if (flip.namespace === this.#namespace) return flip;
    this.#proof.refuse('foreign', flip.id);
    throw new KilldrillError(
      'FLIP_NAMESPACE',
      `flip ${flip.id} is of namespace '${flip.namespace}', this registry of '${this.#namespace}'`,
    );
  }

  /** Drains whose place is known. An early stop without one lets nothing pass: what was admitted before it, nobody knows. */
  #runningDrains(): ReadonlyMap<string, number> {
    const running = new Map<string, number>();
    for (const { id } of this.drains()) {
      const revision = this.revisionOf(id);
      if (revision !== null) running.set(id, revision);
    }
    return running;
  }

  #changed(): void {
    this.#version += 1;
    this.#grounds = { ...this.#grounds, drains: this.#runningDrains() };
    this.#listeners.tell(this);
  }
}
