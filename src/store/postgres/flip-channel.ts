import { createHash } from 'node:crypto';

/** The NOTIFY channel of a namespace's flips; the same as `flip_channel()` in SQL, within PostgreSQL's 63 bytes. */
export function flipChannel(namespace: string): string {
  return `killdrill_${createHash('sha256').update(namespace, 'utf8').digest('hex').slice(0, 32)}`;
}
