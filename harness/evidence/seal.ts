import { createHash } from 'node:crypto';

/**
 * The sha256 of a JSON object without its own `sha256`, hex: over its text with keys in order and without spaces, so that a
 * file that was only indented anew keeps its seal.
 */
export function sealOf(content: Readonly<Record<string, unknown>>): string {
  const { sha256: _own, ...rest } = content;
  return createHash('sha256')
    .update(JSON.stringify(inOrder(rest)))
    .digest('hex');
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]));
}
