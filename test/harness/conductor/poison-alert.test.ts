import { describe, expect, test } from 'vitest';
import { makeDrillKeys } from '../../../harness/conductor/drill-keys.ts';
import { POISON_SORTS, poisonAlert } from '../../../harness/conductor/poison-alert.ts';
import { readDetectorKeys } from '../../../src/alerts/detector-keys.ts';
import { judgeAlert } from '../../../src/alerts/judge-alert.ts';
import type { AlertPolicy } from '../../../src/alerts/judge-alert.ts';

const NOW_MS = 1_700_000_000_000;

describe('poison of a drill', () => {
  test('is refused by an executor, each sort for a reason of its own', () => {
    const keys = makeDrillKeys();
    const policy: AlertPolicy = {
      ...{ namespace: 'ns', keys: readDetectorKeys(keys.list), skewMs: 5_000, queue: 'discard', unsigned: 'accepted' },
    };
    const codes = Array.from({ length: POISON_SORTS }, (_, nth) => {
      const sealed = poisonAlert(nth, { namespace: 'ns', privateKey: keys.privateKey, id: `p-${nth}`, nowMs: NOW_MS });
      const judged = judgeAlert(
        { topic: 't', partition: 0, position: nth, publishedAtMs: NOW_MS, ...sealed },
        policy,
        NOW_MS,
      );
      return judged.kind === 'poison' ? judged.code : judged.kind;
    });
    expect(codes).toEqual(['unreadable', 'forged', 'unknown-detector', 'overreaching', 'future-dated', 'overreaching']);
  });

  test('has bytes of its own each time', () => {
    const { privateKey } = makeDrillKeys();
    const bytes = Array.from({ length: 2 * POISON_SORTS }, (_, nth) =>
      Buffer.from(poisonAlert(nth, { namespace: 'ns', privateKey, id: `p-${nth}`, nowMs: NOW_MS }).bytes).toString(),
    );
    expect(new Set(bytes).size).toBe(bytes.length);
  });
});
