import { chainHash } from '../../src/flip-chain.ts';
import { canonicalText, engagementOf } from '../../src/flip-text.ts';
import type { FenceAnswer, FlipRecord, FlipsAnswer, Head, LoadAnswer, RelayAnswer } from '../../src/store/store.ts';
import type { Engagement, Flip, ReleaseFlip, StopFlip, Subject } from '../../src/switch.ts';

export const NAMESPACE = 'models';

/** A stop; by default global `halt_all`. */
export function stopFlip(id: string, what: Partial<StopFlip> = {}): StopFlip {
  return {
    kind: 'stop',
    namespace: NAMESPACE,
    id,
    scope: 'global',
    target: '*',
    mode: 'halt_all',
    queue: 'discard',
    reason: `because of ${id}`,
    triggeredBy: 'operator',
    source: 'test',
    at: '2026-01-01T00:00:00.000Z',
    ...what,
  };
}

export function releaseFlip(id: string, engagements: readonly string[]): ReleaseFlip {
  return {
    kind: 'release',
    namespace: NAMESPACE,
    id,
    scope: 'global',
    target: '*',
    engagements,
    reason: 'over',
    triggeredBy: 'operator',
    source: 'test',
    at: '2026-01-01T00:00:01.000Z',
  };
}

/** An agent's subject; everything about it can be said. */
export function subjectOf(what: Partial<Subject> = {}): Subject {
  return { tenant: 'acme', feature: 'chat', agent: 'a1', run: 'r1', lineage: [], capability: null, ...what };
}

/** The store judges no flip: one that a worker cannot read may be in it. */
function readFlip(text: string): Flip {
  return JSON.parse(text) as Flip;
}

/** How the store may be weaker than promised. */
export type StoreFlaw = 'none' | 'compares by revision number only' | 'remembers open stops only';

/**
 * The store as a model sees it: a chain of flips of which the last commits may be lost. The head before the first flip
 * belongs to every history, as in any store.
 */
export class ChainStore {
  epoch = 'epoch-1';
  ageMs = 3_600_000;
  readonly minimumAgeMs = 600;
  /** What the operator declared critical. */
  critical: readonly string[] = [];
  flips: FlipRecord[] = [];
  readonly #flaw: StoreFlaw;
  #epochs = 1;

  constructor(flaw: StoreFlaw = 'none') {
    this.#flaw = flaw;
  }

  get head(): Head {
    const last = this.flips.at(-1);
    return { epoch: this.epoch, revision: this.flips.length, hash: last?.hash ?? '' };
  }

  /** Makes a flip durable; an id that is there is answered as it is. */
  commit(flip: Flip): FlipRecord {
    const text = canonicalText(flip);
    const known = this.flips.find((record) => readFlip(record.text).id === flip.id);
    if (known !== undefined && !this.#forgot(flip.id)) return known;
    const { epoch, revision, hash } = this.head;
    const next = revision + 1;
    const record = { epoch, revision: next, hash: chainHash(hash, epoch, next, text), text, signature: null };
    this.flips.push(record);
    return record;
  }

  #forgot(id: string): boolean {
    return (
      this.#flaw === 'remembers open stops only' && !this.openRecords().some((open) => readFlip(open.text).id === id)
    );
  }

  openRecords(): FlipRecord[] {
    const open = new Map<string, FlipRecord>();
    for (const record of this.flips) {
      const flip = readFlip(record.text);
      if (flip.kind === 'stop') open.set(flip.id, record);
      else for (const id of flip.engagements) open.delete(id);
    }
    return [...open.values()];
  }

  openEngagements(): Engagement[] {
    return this.openRecords().map(({ text }) => engagementOf(readFlip(text) as StopFlip));
  }

  openIds(): string[] {
    return this.openEngagements().map(({ id }) => id);
  }

  /** A crash or a fail-over took the last commits. */
  lose(count: number): void {
    this.flips = this.flips.slice(0, Math.max(0, this.flips.length - count));
  }

  /** Restored from elsewhere. */
  restore(): void {
    this.#epochs += 1;
    this.epoch = `epoch-${this.#epochs}`;
  }

  load(): LoadAnswer {
    return { head: this.head, ageMs: this.ageMs, open: this.openRecords(), critical: this.critical };
  }

  compare(head: Head): 'equal' | 'prefix' | 'diverged' {
    const { epoch, revision, hash } = this.head;
    if (this.#flaw === 'compares by revision number only') {
      return head.revision === revision ? 'equal' : head.revision < revision ? 'prefix' : 'diverged';
    }
    if (head.epoch === epoch && head.revision === revision && head.hash === hash) return 'equal';
    if (head.epoch !== epoch || head.revision >= revision) return 'diverged';
    return head.revision === 0 || this.flips[head.revision - 1]?.hash === head.hash ? 'prefix' : 'diverged';
  }

  flipsAfter(head: Head): FlipsAnswer {
    const said = { head: this.head, ageMs: this.ageMs };
    if (this.compare(head) === 'diverged') return { ...said, kind: 'diverged' };
    return { ...said, kind: 'flips', flips: this.flips.slice(head.revision) };
  }

  relay(text: string): RelayAnswer {
    const flip = readFlip(text);
    const { revision } = this.commit(flip);
    const kind = this.openIds().includes(flip.id) ? 'open' : 'closed';
    return { kind, revision, head: this.head, ageMs: this.ageMs };
  }

  fence(head: Head): FenceAnswer {
    const said = { head: this.head, ageMs: this.ageMs };
    if (this.ageMs < this.minimumAgeMs) return { ...said, kind: 'young' };
    const standing = this.compare(head);
    if (standing === 'equal') return { ...said, kind: 'admitted', disowned: [] };
    if (standing === 'diverged') return { ...said, kind: 'diverged' };
    return { ...said, kind: 'stale', flips: this.flips.slice(head.revision) };
  }
}
