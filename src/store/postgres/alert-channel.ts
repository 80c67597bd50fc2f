import { createHash } from 'node:crypto';

/** The NOTIFY channel of a topic's alerts; the same as `alert_channel()` in SQL, within PostgreSQL's 63 bytes. */
export function alertChannel(namespace: string, topic: string): string {
  const hash = createHash('sha256').update(`alerts ${namespace}\n${topic}`, 'utf8').digest('hex');
  return `killdrill_${hash.slice(0, 32)}`;
}
