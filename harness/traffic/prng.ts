/** A seeded source of randomness. The same seed and label give the same numbers on every machine. */
export interface Prng {
  /** The next 32 bits, as an unsigned integer. */
  bits32(): number;
  /** A number in [0, 1), of 53 bits. */
  uniform(): number;
  /**
   * A source of its own for one use. It depends on the seed and the labels only, not on what was drawn here before, so
   * that drawing more of one thing never shifts another.
   */
  split(label: string): Prng;
}

/** The source for a seed. */
export function makePrng(seed: number | string): Prng {
  const name = String(seed);
  // Many a source is only split: its own numbers are begun when the first is drawn.
  let draw: (() => number) | null = null;
  const bits32 = (): number => (draw ??= xoshiro128(stateFrom(name)))();
  return {
    bits32,
    uniform: () => ((bits32() >>> 5) * 2 ** 26 + (bits32() >>> 6)) / 2 ** 53,
    split: (label) => makePrng(`${name}/${label}`),
  };
}

/**
 * xoshiro128** 1.1 (Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c), from a state of four 32-bit
 * words that are not all zero.
 */
export function xoshiro128([a, b, c, d]: readonly [number, number, number, number]): () => number {
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

const encoder = new TextEncoder();

/** Four words from a text: FNV-1a, and the finalizer of MurmurHash3 over a Weyl sequence from there. */
function stateFrom(text: string): [number, number, number, number] {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  const word = (index: number): number => {
    let mixed = (hash + Math.imul(index, 0x9e3779b9)) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
  return [word(1), word(2), word(3), word(4)];
}
