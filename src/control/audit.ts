import { chainHash } from '../flip-chain.ts';
import { isProven } from '../flip-signature.ts';
import type { FlipKeys } from '../flip-signature.ts';
import { parseFlip } from '../flip-text.ts';
import { verifyHead } from '../head-signature.ts';
import type { AuditedFlip } from '../store/audit-port.ts';
import type { Head, SignedHead } from '../store/store.ts';
import type { Flip } from '../switch.ts';

/**
 * What is wrong with the record. `altered`: a record, or the head, is not what it was made as. `removed`: revisions are missing
 * between others. `truncated`: the end is missing. `reordered`: a record stands at another revision than it was made at.
 * `unproven`: a release that nobody who may release has signed, or a signature that is none.
 */
export type AuditFault = 'altered' | 'removed' | 'truncated' | 'reordered' | 'unproven';

export interface AuditFinding {
  readonly fault: AuditFault;
  /** Of the record that it is about, or the first of those that are missing; null for what has none. */
  readonly revision: number | null;
  readonly id: string | null;
  /** A sentence: what was found, and what was expected. */
  readonly what: string;
}

export interface AuditSummary {
  readonly flips: number;
  /** Flips without any signature. */
  readonly unsigned: number;
  /** Flips whose signature was verified. */
  readonly proven: number;
  /** The newest head that somebody who may release has signed; null for none, and then nobody would see a missing end. */
  readonly signedThrough: number | null;
  readonly findings: readonly AuditFinding[];
  /** How many findings there are beyond those that are listed. */
  readonly moreFindings: number;
}

export interface AuditParts {
  readonly namespace: string;
  /** Null: signatures are not looked at, and the chain of hashes alone is judged. */
  readonly keys: FlipKeys | null;
  /** The newest signed head: releases up to it are vouched for by its signature. Null for none. */
  readonly vouched: SignedHead | null;
}

const FINDINGS_KEPT = 100;
/** How far from its place a record is looked for. */
const REORDERED_WITHIN = 1_000;

/** Judges a record flip by flip, in order, and keeps nothing of it but what is open. */
export class ChainAudit {
  readonly #parts: AuditParts;
  readonly #vouchedThrough: number;
  readonly #open = new Set<string>();
  readonly #findings: AuditFinding[] = [];
  #more = 0;
  #last: Head = { epoch: '', revision: 0, hash: '' };
  #flips = 0;
  #unsigned = 0;
  #proven = 0;
  #signedThrough: number | null = null;

  constructor(parts: AuditParts) {
    this.#parts = parts;
    const { keys, namespace, vouched } = parts;
    const isVouched = keys !== null && vouched !== null && verifyHead(keys, namespace, vouched);
    this.#vouchedThrough = isVouched ? vouched.revision : 0;
  }

  /** Revision of the last record that was taken. */
  get revision(): number {
    return this.#last.revision;
  }

  /** Takes the next record. */
  take(record: AuditedFlip): void {
    this.#flips += 1;
    const expected = this.#last.revision + 1;
    if (record.revision > expected) {
      const last = record.revision - 1;
      const range = expected === last ? `revision ${expected} is` : `revisions ${expected} to ${last} are`;
      this.#found('removed', expected, null, `${range} missing; expected no gap before revision ${record.revision}`);
    }
    this.#judgeHash(record, record.revision === expected);
    const flip = this.#read(record);
    if (flip !== null) this.#judgeFlip(record, flip);
    this.#last = { epoch: record.epoch, revision: record.revision, hash: record.hash };
  }

  /** Takes a signed head at the revision of the last record, or beyond the record's end. */
  takeHead(head: SignedHead): void {
    const { keys, namespace } = this.#parts;
    if (keys === null) return;
    const at = `the head that was signed at revision ${head.revision}`;
    if (!verifyHead(keys, namespace, head)) {
      this.#found('unproven', head.revision, null, `${at} bears no signature of anybody who may release`);
      return;
    }
    if (head.revision > this.#last.revision) {
      const from = this.#last.revision + 1;
      this.#found(
        'truncated',
        from,
        null,
        `${at} is beyond the last record, ${this.#last.revision}; the end is missing`,
      );
    } else if (head.hash !== this.#last.hash || head.epoch !== this.#last.epoch) {
      this.#found(
        'altered',
        head.revision,
        null,
        `${at} has another hash than the record there; it is another history`,
      );
    } else {
      this.#signedThrough = head.revision;
    }
  }

  /** Takes the store's own word of where its chain ends, once every record up to there was taken. */
  takeEnd(head: Head): void {
    const { revision, hash } = this.#last;
    if (head.revision > revision) {
      const what = `the store's head is at revision ${head.revision}, and the record ends at ${revision}; the end is missing`;
      this.#found('truncated', revision + 1, null, what);
    } else if (head.revision === revision && head.hash !== hash) {
      this.#found('altered', revision, null, `the store's head has another hash than the last record`);
    }
  }

  /** Compares with the ids that the store takes for open, once every record was taken. */
  takeOpen(ids: ReadonlySet<string>): void {
    for (const id of this.#open) {
      if (ids.has(id)) continue;
      this.#found('altered', null, id, `no release closes engagement '${id}', and the store takes it for closed`);
    }
    for (const id of ids) {
      if (this.#open.has(id)) continue;
      this.#found('altered', null, id, `engagement '${id}' is not open by the record, and the store takes it for open`);
    }
  }

  summary(): AuditSummary {
    return {
      ...{ flips: this.#flips, unsigned: this.#unsigned, proven: this.#proven, signedThrough: this.#signedThrough },
      ...{ findings: this.#findings, moreFindings: this.#more },
    };
  }

  #judgeHash(record: AuditedFlip, isNext: boolean): void {
    const { epoch, revision, hash, text, id, previousHash } = record;
    if (hash === chainHash(previousHash, epoch, revision, text)) {
      if (!isNext || previousHash === this.#last.hash) return;
      const what = `the record at revision ${revision} does not continue the one before it, which was replaced or altered`;
      this.#found('altered', revision, id, what);
      return;
    }
    // A record that was made anew from some place on has nothing but such, and looking for each would take minutes.
    const made = this.#findings.length < FINDINGS_KEPT ? madeAt(record) : null;
    if (made === null) {
      const what = `the record at revision ${revision} does not have the hash of its text, epoch and place`;
      this.#found('altered', revision, id, what);
    } else {
      this.#found('reordered', revision, id, `the record at revision ${revision} was made at revision ${made}`);
    }
  }

  #read(record: AuditedFlip): Flip | null {
    const { revision, id, kind, text } = record;
    try {
      const flip = parseFlip(text);
      if (flip.id !== id || flip.kind !== kind || flip.namespace !== this.#parts.namespace) {
        const said = `a ${flip.kind} '${flip.id}' of namespace '${flip.namespace}'`;
        this.#found(
          'altered',
          revision,
          id,
          `revision ${revision} is kept as ${kind} '${id}', and its text is ${said}`,
        );
      }
      return flip;
    } catch {
      this.#found('altered', revision, id, `the text at revision ${revision} cannot be read as a flip`);
      return null;
    }
  }

  #judgeFlip(record: AuditedFlip, flip: Flip): void {
    this.#judgeSignature(record, flip);
    if (flip.kind === 'stop') this.#open.add(flip.id);
    else for (const id of flip.engagements) this.#open.delete(id);
  }

  #judgeSignature({ revision, text, signature, signatures }: AuditedFlip, { kind, id }: Flip): void {
    const given = [signature, ...signatures].filter((one) => one !== null);
    if (given.length === 0) this.#unsigned += 1;
    const { keys } = this.#parts;
    if (keys === null) return;
    if (given.some((one) => isProven(keys, kind, text, one))) {
      this.#proven += 1;
    } else if (revision > this.#vouchedThrough && (kind === 'release' || given.length > 0)) {
      const found = given.length === 0 ? 'bears no signature' : `bears a signature of nobody who may ${kind}`;
      this.#found('unproven', revision, id, `the ${kind} at revision ${revision} ${found}`);
    }
  }

  #found(fault: AuditFault, revision: number | null, id: string | null, what: string): void {
    if (this.#findings.length < FINDINGS_KEPT) this.#findings.push({ fault, revision, id, what });
    else this.#more += 1;
  }
}

/** The revision at which a record was made, by its hash; null if it is none near its place. */
function madeAt({ epoch, revision, hash, text, previousHash }: AuditedFlip): number | null {
  for (let away = 1; away <= REORDERED_WITHIN; away += 1) {
    for (const at of [revision - away, revision + away]) {
      if (at > 0 && chainHash(previousHash, epoch, at, text) === hash) return at;
    }
  }
  return null;
}
