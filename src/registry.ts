import { KilldrillError } from './errors.ts';
import { chainHash } from './flip-chain.ts';
import { engagementOf, parseFlip } from './flip-text.ts';
import { Engagements, decide } from './switch.ts';
import type { Decision, Engagement, Flip, Grounds, StopFlip, Subject } from './switch.ts';
import type { FlipRecord, Head, LoadAnswer, RelayAnswer } from './store/store.ts';

/** A stop as a path delivered it; `place` is null when the path does not know where the store has it. */
export interface ArrivedStop {
  readonly text: string;
  readonly signature: string | null;
  readonly place: { readonly epoch: string; readonly revision: number } | null;
  /**
   * Who offers it to the store as long as that has not answered: the registry's feed by a relay (`here`, the default), or
   * whoever delivered it, until `offer` says otherwise.
   */
  readonly offered?: 'here' | 'elsewhere';
}

export type ApplyResult =
  | { readonly kind: 'applied'; readonly stops: number; readonly releases: number }
  /** Something between our head and these flips is missing: fetch from our head. */
  | { readonly kind: 'gap' }
  /** These flips do not continue our history: reload in full. */
  | { readonly kind: 'diverged' };

/** A stop that is enforced now. */
interface HeldStop {
  readonly text: string;
  readonly signature: string | null;
  readonly revision: number | null;
  /** Enforced though the contiguous prefix does not hold it. */
  readonly early: boolean;
  readonly offered: 'here' | 'elsewhere';
  /** Of a drain: its time is up, and it lets nothing pass any more. */
  readonly drainOver: boolean;
}

/** Ids of ended stops that are remembered; a late copy of an older one is enforced until the store answers `closed`. */
const ENDED_KEPT = 10_000;

/**
 * A process's picture of the flips: everything up to `head` (a contiguous prefix), plus stops that arrived early.
 *
 * Stops apply on arrival, by any path, in any order, once per id. Releases apply only when the contiguous prefix reaches
 * them. An early stop ends in two ways only: the prefix takes it over, or the store answers a relay with `closed`.
 */
export class Registry {
  readonly #namespace: string;
  #grounds: Grounds = { critical: [], drains: new Map() };
  #stops = new Map<string, HeldStop>();
  #open = new Engagements();
  /** Stops that have ended here, in the prefix or by the store's answer: a late copy must not open them again. */
  readonly #ended = new Set<string>();
  #head: Head | null = null;
  #version = 1;
  #listeners: readonly ((registry: Registry) => void)[] = [];

  constructor(namespace: string) {
    this.#namespace = namespace;
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
    this.#listeners = [...this.#listeners, listener];
  }

  /**
   * Takes a full load. What was enforced before and is not in it is kept as an early stop and relayed: a history that lost
   * commits must not set anybody free.
   *
   * @throws KilldrillError `FLIP_UNREADABLE`, `FLIP_NAMESPACE` or `LOAD_UNREADABLE`; nothing has changed then.
   */
  load(answer: LoadAnswer): void {
    const open = new Engagements();
    const stops = new Map<string, HeldStop>();
    for (const { text, signature, revision } of answer.open) {
      const flip = this.#read(text);
      if (flip.kind !== 'stop') throw notAStop(flip);
      open.open(engagementOf(flip));
      const drainOver = this.#isDrainOver(flip.id, text);
      stops.set(flip.id, { text, signature, revision, early: false, offered: 'here', drainOver });
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
      if (record.hash !== chainHash(head.hash, record.epoch, record.revision, record.text)) return { kind: 'diverged' };
      if (this.#applyNext(record) === 'stop') stops += 1;
      else releases += 1;
      head = { epoch: record.epoch, revision: record.revision, hash: record.hash };
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
    if (flip.kind === 'stop') {
      // Should an early copy have had another text under this id, the store's is the one that counts.
      if (this.#stops.get(flip.id)?.text !== record.text) this.#open.close(flip.id);
      this.#enforce(flip, { ...record, early: false, offered: 'here' });
    } else {
      for (const id of flip.engagements) this.#end(id);
    }
    return flip.kind;
  }

  /**
   * Takes a stop that some path delivered, before the prefix has reached it. A release is ignored here.
   *
   * That the prefix is beyond the stop's place proves nothing, since a history that lost commits gives the place to another
   * flip: only a stop that has ended before our eyes is known to be over.
   *
   * @returns whether anything is enforced now that was not before.
   */
  arrive(stop: ArrivedStop): boolean {
    const flip = this.#read(stop.text);
    if (flip.kind !== 'stop' || this.#open.has(flip.id) || this.#ended.has(flip.id)) return false;
    const { text, signature, place, offered = 'here' } = stop;
    this.#enforce(flip, { text, signature, revision: place?.revision ?? null, early: true, offered });
    this.#changed();
    return true;
  }

  /**
   * Early stops to offer to the store. Ask after a fetch: what it has not brought has no place in the store's history, for
   * all that we know, even if a path named one, since its commit may be lost.
   */
  toRelay(): readonly { readonly id: string; readonly text: string; readonly signature: string | null }[] {
    return [...this.#stops]
      .filter(([, held]) => held.early && held.offered === 'here')
      .map(([id, { text, signature }]) => ({ id, text, signature }));
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
      this.#end(id);
    } else {
      // It stays early until the prefix brings it; until then it is offered again.
      this.#stops.set(id, { ...held, revision: answer.revision });
    }
    this.#changed();
  }

  #enforce(stop: StopFlip, held: Omit<HeldStop, 'drainOver'>): void {
    const { text, signature, revision, early, offered } = held;
    this.#open.open(engagementOf(stop));
    const drainOver = this.#isDrainOver(stop.id, text);
    this.#stops.set(stop.id, { text, signature, revision, early, offered, drainOver });
  }

  #isDrainOver(id: string, text: string): boolean {
    const held = this.#stops.get(id);
    return held?.text === text && held.drainOver;
  }

  #end(id: string): void {
    this.#open.close(id);
    this.#stops.delete(id);
    this.#ended.add(id);
    const [oldest] = this.#ended;
    if (this.#ended.size > ENDED_KEPT && oldest !== undefined) this.#ended.delete(oldest);
  }

  #read(text: string): Flip {
    const flip = parseFlip(text);
    if (flip.namespace === this.#namespace) return flip;
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
    for (const listener of this.#listeners) {
      try {
        listener(this);
      } catch {
        // State has changed already; what a listener does with the news must not undo or delay that.
      }
    }
  }
}

function notAStop(flip: Flip): KilldrillError {
  return new KilldrillError(
    'LOAD_UNREADABLE',
    `the store's open engagements hold ${flip.id}, which is a ${flip.kind}; expected stops only`,
  );
}
