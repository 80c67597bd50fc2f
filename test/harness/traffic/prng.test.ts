import { expect, test } from 'vitest';
import { exponential, logNormal, pareto, wholeBetween, zipf } from '../../../harness/traffic/distributions.ts';
import { makePrng, xoshiro128 } from '../../../harness/traffic/prng.ts';

const MANY = 20_000;
const times = <T>(make: () => T): readonly T[] => Array.from({ length: MANY }, make);
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

test('the generator gives what the authors of xoshiro128** give for the same state', () => {
  const next = xoshiro128([0x964d4a0c, 0xd40ab895, 0xad7fdecb, 0x3006f0f0]);
  expect([next(), next(), next(), next()]).toEqual([0xf1391922, 0x6fe53806, 0xa5be2840, 0xf510ee70]);
});

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number): readonly number[] => {
    const prng = makePrng(seed);
    return [prng.bits32(), prng.bits32(), prng.uniform()];
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test('a split source does not depend on what was drawn before it, and differs by label', () => {
  const fresh = makePrng(1).split('tenants').bits32();
  const used = makePrng(1);
  used.uniform();
  expect(used.split('tenants').bits32()).toBe(fresh);
  expect(used.split('agents').bits32()).not.toBe(fresh);
  expect(used.split('a').split('b').bits32()).not.toBe(used.split('b').split('a').bits32());
});

test('uniform numbers are in [0, 1) and spread evenly', () => {
  const prng = makePrng(3);
  const drawn = times(() => prng.uniform());
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...drawn)).toBeLessThan(1);
  expect(mean(drawn)).toBeCloseTo(0.5, 1);
  expect(new Set(times(() => wholeBetween(prng, 2, 9)))).toEqual(new Set([2, 3, 4, 5, 6, 7, 8, 9]));
});

test('the distributions have the median, mean and tail that they are given', () => {
  const prng = makePrng(5);
  expect(mean(times(() => exponential(prng, 100))) / 100).toBeCloseTo(1, 1);
  const lasting = times(() => logNormal(prng, 40, 0.9));
  expect(median(lasting) / 40).toBeCloseTo(1, 1);
  expect(Math.max(...lasting)).toBeGreaterThan(400);
  const tailed = times(() => pareto(prng, 10, 1.5));
  expect(Math.min(...tailed)).toBeGreaterThanOrEqual(10);
  expect(median(tailed) / (10 * 2 ** (1 / 1.5))).toBeCloseTo(1, 1);
});

test('Zipf ranks fall as one over the rank', () => {
  const prng = makePrng(7);
  const draw = zipf(20, 1);
  const counts = Array.from({ length: 20 }, () => 0);
  for (const rank of times(() => draw(prng))) counts[rank] = (counts[rank] ?? 0) + 1;
  expect((counts[0] ?? 0) / (counts[1] ?? 1)).toBeCloseTo(2, 0);
  expect((counts[0] ?? 0) / (counts[9] ?? 1)).toBeGreaterThan(7);
  expect(Math.min(...counts)).toBeGreaterThan(0);
});
