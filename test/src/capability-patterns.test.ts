import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CapabilityPatterns } from '../../src/capability-patterns.ts';
import { capabilityMatches } from '../../src/switch.ts';

test('the patterns above a capability are those that match it, however many were asked for before', () => {
  const patterns = new CapabilityPatterns();
  for (let at = 0; at < 2_500; at += 1) patterns.above(`made/up-${at}`);
  const step = fc.constantFrom('read', 'write', 'mail', '*', '');
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) => {
      const capability = steps.join('/');
      const above = patterns.above(capability);
      expect(above).toEqual(steps.slice(1).map((_, depth) => `${steps.slice(0, depth + 1).join('/')}/*`));
      expect(above.every((pattern) => capabilityMatches(pattern, capability))).toBe(true);
      expect(patterns.above(capability)).toBe(above);
    }),
  );
});
