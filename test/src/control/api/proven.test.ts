import { describe, expect, it } from 'vitest';
import { provenOf } from '../../../../src/control/api/proven.ts';
import type { CanaryStatus, LastRound } from '../../../../src/control/periodic-canary.ts';

const ROUNDS = { proven: 0, silent: 0, short: 0, nobody: 0, covered: 0, failed: 0 };

function flown(last: Partial<LastRound> | null): CanaryStatus {
  const round: LastRound = {
    ...{ outcome: 'proven', agoMs: 1_000, tookMs: 50, refused: 1, silent: [], gone: [], why: null },
    ...last,
  };
  return { everyMs: 600_000, rounds: ROUNDS, last: last === null ? null : round };
}

describe('what a page says of the last proof', () => {
  it.each([
    ['how long ago it was', 90_000, null, true, /^last proven able to halt 90 s ago$/],
    ['that it never was, and how to', null, null, false, /^not proven .*killdrill status --prove/],
    ['that a first canary is to come', null, flown(null), false, /this process flies one every 10 min/],
    ['nothing more while the last canary proves it', 1_000, flown({}), true, /^last proven able to halt 1 s ago$/],
    [
      'who did not refuse the last one, the first five',
      60_000,
      flown({ outcome: 'silent', silent: ['a', 'b', 'c', 'd', 'e', 'f'] }),
      false,
      /60 s ago; THE LAST CANARY DID NOT PROVE IT: not refused by a, b, c, d, e and 1 more, 1 s ago$/,
    ],
    [
      'what kept it from being flown',
      60_000,
      flown({ outcome: 'covered', why: 'stopped already, by s1' }),
      false,
      /it was not flown \(stopped already, by s1\), 1 s ago$/,
    ],
  ])('%s', (_, agoMs, canary, isGood, text) => {
    expect(provenOf(agoMs, [], canary)).toEqual({ agoMs, short: [], isGood, text: expect.stringMatching(text) });
  });

  it('which pools have not all their workers', () => {
    const text = `not proven able to halt: pool 'mail' has 1 of 2 workers`;
    expect(provenOf(null, [`pool 'mail' has 1 of 2 workers`], null)).toMatchObject({ isGood: false, text });
  });
});
