import { createHash } from 'node:crypto';

/**
 * The same short text for the same arguments of a call, whatever the order of their keys: what a loop is found by.
 *
 * Null for what is not JSON (a map, a function, a cycle, bytes): two of those cannot be told apart by their text, and
 * different calls must not look like a loop.
 */
export function fingerprint(given: unknown): string | null {
  try {
    const text: unknown = JSON.stringify(given, (_, value: unknown) => canonical(value));
    return typeof text === 'string' ? createHash('sha256').update(text).digest('base64url').slice(0, 22) : null;
  } catch {
    return null; // a cycle, a bigint, too deep, or one of ours
  }
}

function canonical(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('JSON has no such number');
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError('JSON has no such value');
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) throw new TypeError('only plain objects are JSON');
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
