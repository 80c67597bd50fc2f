import { describe, expect, it } from 'vitest';
import { judgeKills } from './judge.ts';
import type { KillRecord } from './judge.ts';

/** A stop, the same stop sent again, and poison; all with their ends. */
const SOUND: KillRecord = {
  acknowledged: [
    { content: 'stop', flipId: 'f1' },
    { content: 'stop', flipId: 'f1' },
    { content: 'poison', flipId: null },
  ],
  onBus: [
    { place: '0/0', content: 'stop' },
    { place: '0/1', content: 'stop' },
    { place: '1/0', content: 'poison' },
  ],
  records: [
    { place: '0/0', kind: 'flip', flipId: 'f1' },
    { place: '0/1', kind: 'duplicate', flipId: 'f1' },
    { place: '1/0', kind: 'poison', flipId: null },
  ],
  flips: ['f1'],
  letters: ['1/0', '1/0'],
  partitions: [
    { partition: 0, position: 2, end: 2 },
    { partition: 1, position: 1, end: 1 },
  ],
};

describe('the judge of kills', () => {
  it('has nothing against alerts that all got their end once', () => {
    expect(judgeKills(SOUND)).toEqual([]);
  });

  it.each<[string, Partial<KillRecord>, RegExp]>([
    ['an alert without its record', { records: SOUND.records.slice(1) }, /at 0\/0 is on record as nothing/],
    ['a stop without its flip', { flips: [] }, /flip f1 was made 0 times/],
    ['a stop made twice', { flips: ['f1', 'f1'] }, /flip f1 was made 2 times/],
    ['a stop that nobody asked for', { flips: ['f1', 'f2'] }, /flip f2 is of no alert/],
    ['a lost dead letter', { letters: [] }, /its letter lost/],
    ['an acknowledged alert that the bus lost', { onBus: SOUND.onBus.slice(0, 2) }, /'poison' the bus holds 0/],
    ['a position that stopped', { partitions: [{ partition: 0, position: 1, end: 2 }] }, /is 1, and it ends at 2/],
  ])('finds %s', (_, change, sentence) => {
    expect(judgeKills({ ...SOUND, ...change }).join('\n')).toMatch(sentence);
  });
});
