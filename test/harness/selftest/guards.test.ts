import { expect, test } from 'vitest';
import { guardsOf, holeIn } from '../../../harness/selftest/guards.ts';

const killed = { name: 'deaf', property: 'stops', sound: true };

test('a property is guarded by each mutant that it killed', () => {
  const guards = guardsOf([killed, { ...killed, name: 'late' }], ['stops']);
  expect(guards).toEqual([{ property: 'stops', mutants: ['deaf', 'late'] }]);
  expect(holeIn(guards)).toBeNull();
});

test('a property whose only mutant survived is unguarded, and named with all others that are', () => {
  const guards = guardsOf([killed, { name: 'sticky', property: 'flows', sound: false }], ['stops', 'flows', 'kept']);
  expect(holeIn(guards)).toMatch(/^2 properties are unguarded, .*: flows, kept; plant such a bug/);
});

test('a sound fleet guards nothing', () => {
  expect(holeIn(guardsOf([{ name: 'clean', property: null, sound: true }], ['stops']))).toMatch(
    /^a property is .*stops;/,
  );
});
