import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../../src/detect/fingerprint.ts';

/** The same value with its keys in the other order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, turned(inner)]),
  );
}

describe('a fingerprint', () => {
  it('is the same for the same JSON, in whatever order its keys are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(fingerprint(turned(value))).toBe(fingerprint(value));
      }),
    );
  });

  it('differs where the JSON differs', () => {
    const shape = (value: unknown): string => JSON.stringify(value);
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 1 }), fc.jsonValue({ maxDepth: 1 }), (one, other) => {
        fc.pre(shape(one) !== shape(other) && shape(turned(one)) !== shape(other));
        fc.pre(shape(sorted(one)) !== shape(sorted(other)));
        expect(fingerprint(one)).not.toBe(fingerprint(other));
      }),
    );
  });

  it('is short, and a name that an observation may have', () => {
    expect(fingerprint({ to: 'a'.repeat(100_000) })).toMatch(/^[\w-]{22}$/);
  });

  it.each([
    ['a map', new Map([[1, 2]])],
    ['bytes', new Uint8Array(3)],
    ['a function inside', { call: () => 1 }],
    ['a bigint', 1n],
    ['no number', Number.NaN],
    ['nothing', undefined],
    ['a cycle', cycle()],
  ])('is none for %s, which JSON would make look like others', (_, value) => {
    expect(fingerprint(value)).toBeNull();
  });
});

function cycle(): unknown {
  const self: Record<string, unknown> = {};
  self['self'] = self;
  return self;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
