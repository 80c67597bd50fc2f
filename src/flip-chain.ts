import { createHash } from 'node:crypto';
import type { FlipRecord, Head } from './store/store.ts';

/**
 * The hash of one flip in the chain, lower-case hex.
 *
 * sha256 over the UTF-8 bytes of: the previous flip's hash (empty before the first), a line feed, the epoch, a line
 * feed, the revision in decimal, a line feed, the flip's text verbatim. Neither hashes nor epochs hold a line feed, so
 * no two different inputs share their bytes. The store computes the same when it makes a flip durable.
 */
export function chainHash(previousHash: string, epoch: string, revision: number, text: string): string {
  return createHash('sha256').update(`${previousHash}\n${epoch}\n${revision}\n${text}`, 'utf8').digest('hex');
}

/** Whether the record's hash is what it must be after this head; its place is not looked at. */
export function continuesChain(head: Pick<Head, 'hash'>, { epoch, revision, hash, text }: FlipRecord): boolean {
  return hash === chainHash(head.hash, epoch, revision, text);
}

/** Where the chain ends once this record is in it. */
export function headAfter({ epoch, revision, hash }: FlipRecord): Head {
  return { epoch, revision, hash };
}
