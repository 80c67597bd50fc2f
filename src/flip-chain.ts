import { createHash } from 'node:crypto';

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
