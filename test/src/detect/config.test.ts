import { describe, expect, it } from 'vitest';
import { readDetectors } from '../../../src/detect/config.ts';

const RATE = { kind: 'write-rate', per: 'tenant', windowMs: 1_000, perSecond: 5 };
const read = (rules: unknown, more: object = {}) =>
  readDetectors({ detector: 'watch', rules, ...more }, 'detectors.yaml');

describe('the configuration of detectors', () => {
  it('is complete once it is read', () => {
    const guard = { kind: 'guardrail', per: 'agent', metric: 'toxicity', windowMs: 500, redTo: 0.2 };
    expect(read([RATE, guard])).toEqual({
      detector: 'watch',
      widestScope: 'tenant',
      repeatMs: 1_000,
      maxSeries: 10_000,
      rules: [
        { ...RATE, name: 'write-rate-per-tenant', mode: 'halt_all', capabilities: [], eachCapability: false },
        {
          ...{ kind: 'guardrail', name: 'toxicity', mode: 'halt_all', per: 'agent', metric: 'toxicity', windowMs: 500 },
          ...{ judge: 'mean', minReadings: 1, bound: { kind: 'at-most', value: 0.2 } },
        },
      ],
    });
  });

  it.each<readonly [string, unknown, object, RegExp]>([
    ['no rules', [], {}, /rules is \[\]; expected at least one rule/],
    ['no detector', [RATE], { detector: undefined }, /detector is missing; expected a name/],
    [
      'an unknown kind',
      [{ ...RATE, kind: 'rate' }],
      {},
      /rules\[0\]\.kind is 'rate'; expected a rule whose kind is one of/,
    ],
    [
      'an unknown scope',
      [{ ...RATE, per: 'team' }],
      {},
      /rules\[0\]\.per is 'team'; expected one of tenant, capability/,
    ],
    [
      'a window as text',
      [{ ...RATE, windowMs: '1s' }],
      {},
      /rules\[0\]\.windowMs is '1s'; expected a whole number of mill/,
    ],
    ['no window', [{ ...RATE, windowMs: undefined }], {}, /rules\[0\]\.windowMs is missing/],
    ['a window too short', [{ ...RATE, windowMs: 5 }], {}, /rules\[0\]\.windowMs is 5; .* from 100 to 86400000/],
    [
      'no threshold',
      [{ ...RATE, perSecond: 0 }],
      {},
      /rules\[0\]\.perSecond is 0; expected a number of writes a second/,
    ],
    ['an unknown key', [{ ...RATE, perMinute: 3 }], {}, /rules\[0\]\.perMinute is no key that is known there/],
    [
      'an unknown mode',
      [{ ...RATE, mode: 'stop' }],
      {},
      /rules\[0\]\.mode is 'stop'; expected one of halt_noncritical/,
    ],
    [
      'a bad capability',
      [{ ...RATE, capabilities: ['*'] }],
      {},
      /capabilities\[0\] is '\*'; expected a capability such/,
    ],
    ['a loop of one', [{ kind: 'loop', per: 'run', windowMs: 1_000, times: 1 }], {}, /times is 1; .* from 2/],
    [
      'two of a name',
      [RATE, RATE],
      {},
      /rules\[1\]\.name is the second rule named 'write-rate-per-tenant', after rules\[0\]/,
    ],
    [
      'a scope too wide',
      [{ kind: 'cost', per: 'global', windowMs: 1_000, amount: 1 }],
      {},
      /rules\[0\]\.per is 'global'; expected no wider scope than widestScope, which is 'tenant'/,
    ],
    [
      'a guardrail without a bound',
      [{ kind: 'guardrail', per: 'run', metric: 'm', windowMs: 1_000 }],
      {},
      /rules\[0\] has neither redFrom nor redTo/,
    ],
    [
      'a guardrail with two bounds',
      [{ kind: 'guardrail', per: 'run', metric: 'm', windowMs: 1_000, redFrom: 1, redTo: 2 }],
      {},
      /rules\[0\] has both/,
    ],
  ])('refuses %s, and says where and how to mend it', (_, rules, more, says) => {
    const wanted = { code: 'DETECTORS_INVALID', message: expect.stringMatching(says) as string };
    expect(() => read(rules, more)).toThrow(expect.objectContaining(wanted) as Error);
    expect(() => read(rules, more)).toThrow(/^detectors\.yaml configures no detectors: /);
  });

  it('refuses what is no configuration at all', () => {
    for (const given of [null, 'x', 3, []]) {
      expect(() => readDetectors(given, 'a file')).toThrow(/^a file configures no detectors: it is /);
    }
  });

  it('says all that is wrong at once', () => {
    const wrong = [{ ...RATE, windowMs: 1, perSecond: -1, per: 'x' }];
    expect(() => read(wrong)).toThrow(/windowMs.*perSecond|perSecond.*windowMs/s);
  });
});
