import { KilldrillError } from '../errors.ts';
import type { AuditStore } from '../store/audit-port.ts';
import type { Head, SignedHead } from '../store/store.ts';
import { ChainAudit } from './audit.ts';
import type { AuditParts, AuditSummary } from './audit.ts';

const PAGE = 1_000;
/** A store that takes flips all the while is read to its end so often. */
const ROUNDS = 20;

/**
 * Walks the whole record, page by page, and says what is wrong with it. What it holds meanwhile is one page and the ids of
 * what is open. Flips that are taken meanwhile are read too.
 *
 * @throws KilldrillError `AUDIT_NO_END` when flips come faster than they can be read.
 */
export async function verifyAudit(store: AuditStore, parts: Omit<AuditParts, 'vouched'>): Promise<AuditSummary> {
  const { released } = await store.proof('signed');
  const audit = new ChainAudit({ ...parts, vouched: released?.since ?? null });
  const heads = new HeadReader(store);
  for (let round = 0; round < ROUNDS; round += 1) {
    const end = await readToEnd(store, audit, heads);
    const open = await readOpen(store);
    // What is open is compared with a record that no flip was added to meanwhile.
    if ((await store.page(audit.revision, 1)).flips.length > 0) continue;
    for (const head of await heads.rest()) audit.takeHead(head);
    audit.takeEnd(end);
    audit.takeOpen(open);
    return audit.summary();
  }
  throw new KilldrillError(
    'AUDIT_NO_END',
    `after ${ROUNDS} rounds flips still came while the end was read, at revision ${audit.revision}; ask again when it is quieter`,
  );
}

/** The store's head once nothing was left to read. */
async function readToEnd(store: AuditStore, audit: ChainAudit, heads: HeadReader): Promise<Head> {
  for (;;) {
    const { head, flips } = await store.page(audit.revision, PAGE);
    if (flips.length === 0) return head;
    for (const flip of flips) {
      audit.take(flip);
      for (const signed of await heads.at(flip.revision)) audit.takeHead(signed);
    }
  }
}

async function readOpen(store: AuditStore): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  let last = '';
  for (;;) {
    const page = await store.openIds(last, PAGE);
    for (const id of page) ids.add(id);
    if (page.length < PAGE) return ids;
    last = page.at(-1) ?? last;
  }
}

/** Signed heads in their order, read as the record is. */
class HeadReader {
  readonly #store: AuditStore;
  #page: readonly SignedHead[] = [];
  #next = 0;
  #last = 0;
  #isOver = false;

  constructor(store: AuditStore) {
    this.#store = store;
  }

  /** Those of one revision; revisions are asked for in order. */
  async at(revision: number): Promise<readonly SignedHead[]> {
    const found: SignedHead[] = [];
    for (;;) {
      const head = await this.#peek();
      if (head === null || head.revision > revision) return found;
      this.#next += 1;
      if (head.revision === revision) found.push(head);
    }
  }

  /** Those beyond the last revision that was asked for. */
  async rest(): Promise<readonly SignedHead[]> {
    const found: SignedHead[] = [];
    for (let head = await this.#peek(); head !== null; head = await this.#peek()) {
      this.#next += 1;
      found.push(head);
    }
    return found;
  }

  async #peek(): Promise<SignedHead | null> {
    const there = this.#page[this.#next];
    if (there !== undefined) return there;
    if (this.#isOver) return null;
    this.#page = await this.#store.signedHeads(this.#last, PAGE);
    this.#next = 0;
    this.#last = this.#page.at(-1)?.revision ?? this.#last;
    this.#isOver = this.#page.length < PAGE;
    return this.#page[0] ?? null;
  }
}
