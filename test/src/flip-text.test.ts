import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText, parseFlip } from '../../src/flip-text.ts';
import type { Flip } from '../../src/switch.ts';
import { SCOPES, STOP_MODES } from '../../src/switch.ts';
import { releaseFlip, stopFlip } from './chain-store.ts';

const name = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
const stop: fc.Arbitrary<Flip> = fc
  .record({
    id: name,
    scope: fc.constantFrom(...SCOPES),
    target: name,
    policy: fc.oneof(
      fc.record({ mode: fc.constantFrom(...STOP_MODES), queue: fc.constantFrom('discard' as const, 'park' as const) }),
      fc.record({
        mode: fc.constantFrom('halt_noncritical' as const, 'halt_all' as const),
        queue: fc.constant('drain' as const),
        drainMs: fc.integer({ min: 1, max: 86_400_000 }),
      }),
    ),
    reason: fc.string({ unit: 'grapheme' }),
  })
  .map(({ id, policy, ...what }) =>
    stopFlip(id, { ...what, ...policy, target: what.scope === 'global' ? '*' : what.target }),
  );
const release: fc.Arbitrary<Flip> = fc
  .tuple(name, fc.array(name, { minLength: 1, maxLength: 5 }))
  .map(([id, engagements]) => releaseFlip(id, engagements));

describe('the canonical text of a flip', () => {
  it('is read back as the same flip, and written the same again', () => {
    fc.assert(
      fc.property(fc.oneof(stop, release), (flip) => {
        const text = canonicalText(flip);
        expect(parseFlip(text)).toEqual(flip);
        expect(canonicalText(parseFlip(text))).toBe(text);
      }),
    );
  });

  it('does not depend on the order in which the flip’s fields were given', () => {
    const flip = stopFlip('e1');
    const turned = Object.fromEntries(Object.entries(flip).toReversed()) as unknown as Flip;
    expect(canonicalText(turned)).toBe(canonicalText(flip));
  });

  it('is never read from anything else, whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => parseFlip(text)).toThrow(/a flip's/);
      }),
    );
  });

  it('is no text of a stop of which one field is missing, is added, or is of another kind', () => {
    const wrong = fc.constantFrom<unknown>(null, 7, true, '', 'x'.repeat(2_001), [], {}, ['x']);
    const spoilt = fc
      .tuple(stop, fc.nat(20), wrong, fc.constantFrom('drop', 'set', 'add'))
      .map(([flip, at, value, how]) => {
        const fields = Object.entries(JSON.parse(canonicalText(flip)) as Record<string, unknown>);
        const [name = ''] = fields[at % fields.length] ?? [];
        const isRight = (name === 'reason' && value === '') || (name === 'drainMs' && value === 7);
        if (how === 'drop') return fields.filter(([field]) => field !== name);
        if (how === 'add' || isRight) return [...fields, ['more', value] as const];
        return fields.map(([field, found]) => [field, field === name ? value : found] as const);
      });
    fc.assert(
      fc.property(spoilt, (fields) => {
        expect(() => parseFlip(JSON.stringify(Object.fromEntries(fields)))).toThrow(/a flip's/);
      }),
    );
  });

  it('names how long a drain lasts right after what it does to the queue', () => {
    const text = canonicalText(stopFlip('e1', { queue: 'drain', drainMs: 5_000 }));
    expect(text).toContain('"queue":"drain","drainMs":5000,"reason"');
    expect(canonicalText(stopFlip('e1'))).not.toContain('drainMs');
  });

  it.each([
    ['queue', { ...stopFlip('e1'), mode: 'emergency', queue: 'drain', drainMs: 5_000 }],
    ['drainMs', { ...stopFlip('e1'), queue: 'drain' }],
    ['drainMs', { ...stopFlip('e1'), queue: 'park', drainMs: 5_000 }],
    ['drainMs', { ...stopFlip('e1'), queue: 'drain', drainMs: 0 }],
    ['drainMs', { ...stopFlip('e1'), queue: 'drain', drainMs: 1.5 }],
    ['drainMs', { ...stopFlip('e1'), queue: 'drain', drainMs: 86_400_001 }],
    ['drainMs', { ...stopFlip('e1'), queue: 'drain', drainMs: '5000' }],
    ['drainMs', { ...stopFlip('e1'), queue: 'drain', drainMs: null }],
    ['mode', { ...stopFlip('e1'), mode: 'disengaged' }],
    ['target', { ...stopFlip('e1'), target: 'acme' }],
    ['scope', { ...stopFlip('e1'), scope: 'planet' }],
    ['id', { ...stopFlip('e1'), id: '' }],
    ['queue', { ...stopFlip('e1'), queue: undefined }],
    ['engagements', releaseFlip('x1', [])],
    ['flip', { ...stopFlip('e1'), extra: 1 }],
  ])('is refused for its %s', (field, flip) => {
    expect(() => parseFlip(JSON.stringify(flip))).toThrow(`a flip's ${field}`);
  });
});
