import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chainHash } from '../../src/flip-chain.ts';

test('hashes the documented bytes', () => {
  const bytes = Buffer.from('aa\nepoch\n7\n{"reason":"Grüße 🛑"}', 'utf8');
  expect(chainHash('aa', 'epoch', 7, '{"reason":"Grüße 🛑"}')).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('differs when anything that it covers differs', () => {
  const links = fc.tuple(
    fc.constantFrom('', 'aa', 'ab'),
    fc.constantFrom('1', '11', 'e'),
    fc.integer({ min: 1, max: 200 }),
    fc.string(),
  );
  fc.assert(
    fc.property(links, links, (one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      expect(chainHash(...one) === chainHash(...other)).toBe(same);
    }),
  );
});
