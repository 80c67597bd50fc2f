import { describe, expect, test } from 'vitest';
import { MAX_ALERT_BYTES, MAX_ALERT_LIFE_MS } from '../../../src/alerts/alert.ts';
import type { AlertPolicy, Judgement } from '../../../src/alerts/judge-alert.ts';
import { judgeAlert } from '../../../src/alerts/judge-alert.ts';
import { parseFlip } from '../../../src/flip-text.ts';
import { NAMESPACE, NOW_MS, at, messageOf, newDetector, policyFor, raw, sampleAlert, signed } from './samples.ts';
import type { Sent } from './samples.ts';

const detector = newDetector();
const policy = policyFor([detector]);

function judge(sent: Sent, more: Partial<AlertPolicy> = {}, position = 0): Judgement {
  return judgeAlert(messageOf(sent, { position }), { ...policy, ...more }, NOW_MS);
}

function tripOf(judgement: Judgement) {
  if (judgement.kind !== 'trip') throw new Error(`expected a trip, found ${JSON.stringify(judgement)}`);
  return judgement.trip;
}

describe('judging an alert', () => {
  test('makes a signed alert the stop that it asks for', () => {
    const evidence = { metric: 'writes/s', value: 40, threshold: 10 };
    const trip = tripOf(judge(signed(detector, { evidence, observedRevision: 7 })));
    expect(parseFlip(trip.text)).toEqual({
      ...{ kind: 'stop', namespace: NAMESPACE, id: trip.flipId, scope: 'tenant', target: 'acme', mode: 'halt_all' },
      ...{ queue: 'discard', triggeredBy: 'write-rate', source: 'alert', at: at(-100) },
      reason: 'it writes too much (writes/s 40, threshold 10)',
    });
    expect(trip.ground).toEqual({ kind: 'revision', revision: 7 });
  });

  test('stops no harder than its own policy lets it, and as asked where that is milder', () => {
    const modeOf = (asked: AlertPolicy['strictestMode'], most: AlertPolicy['strictestMode']) => {
      const hard = newDetector('hard', { strictestMode: 'emergency' });
      const sent = signed(hard, { detector: 'hard', ...(asked === undefined ? {} : { mode: asked }) });
      const strictest = most === undefined ? {} : { strictestMode: most };
      return parseFlip(tripOf(judge(sent, { ...policyFor([hard]), ...strictest })).text);
    };
    expect(modeOf('emergency', 'halt_noncritical')).toMatchObject({ mode: 'halt_noncritical' });
    expect(modeOf('halt_noncritical', 'emergency')).toMatchObject({ mode: 'halt_noncritical' });
    expect(modeOf('emergency', undefined)).toMatchObject({ mode: 'emergency' });
    const short = tripOf(judge(raw({ agent_id: 'a', reason: 'x' }), { strictestMode: 'halt_noncritical' }));
    expect(parseFlip(short.text)).toMatchObject({ mode: 'halt_noncritical' });
  });

  test('allows for the skew of clocks where the detector names no revision', () => {
    expect(tripOf(judge(signed(detector))).ground).toEqual({ kind: 'instant', atMs: NOW_MS - 100 + 5_000 });
  });

  test('reads the short form as the halt of one agent', () => {
    const trip = tripOf(judge(raw({ agent_id: 'agent-7', reason: 'it loops', severity: 'high' })));
    const expected = { scope: 'agent', target: 'agent-7', mode: 'halt_all', reason: 'it loops' };
    expect(parseFlip(trip.text)).toMatchObject({ ...expected, triggeredBy: 'unsigned:short-form' });
  });

  test('takes the short form at two places for two alerts, and at one for one', () => {
    const short = raw({ agent_id: 'agent-7', reason: 'it loops' });
    const [first, again, second] = [judge(short), judge(short), judge(short, {}, 1)].map((one) => tripOf(one).flipId);
    expect(again).toBe(first);
    expect(second).not.toBe(first);
    const anew = judgeAlert(messageOf(short, { publishedAtMs: NOW_MS + 1 }), policy, NOW_MS);
    expect(tripOf(anew).flipId).not.toBe(first);
  });

  test('names a flip by detector, alert id and content, wherever it is read', () => {
    const other = newDetector('loop');
    const both = policyFor([detector, other]);
    const ids = [
      signed(detector),
      signed(detector, { id: 'a2' }),
      signed(detector, { reason: 'other' }),
      signed(other, { detector: 'loop' }),
    ].map((sent) => tripOf(judge(sent, both)).flipId);
    expect(new Set(ids).size).toBe(4);
    expect(tripOf(judge(signed(detector), { queue: 'park' }, 9)).flipId).toBe(ids[0]);
  });

  test('keeps what is unsigned apart from the detector whose name it bears', () => {
    const alert = { scope: 'agent', target: 'x' } as const;
    const bare = tripOf(judge({ ...signed(detector, alert), signature: null }));
    expect(bare.detector).toBe('unsigned:write-rate');
    expect(bare.flipId).not.toBe(tripOf(judge(signed(detector, alert))).flipId);
  });

  test('records what has expired, but for the skew', () => {
    const expiring = (offsetMs: number) => judge(signed(detector, { raisedAt: at(-60_000), expiresAt: at(offsetMs) }));
    expect(expiring(-5_001).kind).toBe('expired');
    expect(expiring(-5_000).kind).toBe('trip');
  });

  test('parks the queue where the operator decided so', () => {
    expect(parseFlip(tripOf(judge(signed(detector), { queue: 'park' })).text)).toMatchObject({ queue: 'park' });
  });
});

describe('an alert is poison', () => {
  const stranger = newDetector();
  const forged = { ...signed(detector), signature: signed(stranger).signature };
  const touched = { ...signed(detector), bytes: Buffer.from(`${signed(detector).bytes.toString()} `) };
  const halfPair = JSON.stringify(sampleAlert({ target: 'x' })).replace('"x"', String.raw`"\ud800"`);
  const cases: readonly (readonly [string, Sent, string, RegExp])[] = [
    ['when it is too large', raw(' '.repeat(MAX_ALERT_BYTES + 1)), 'oversized', /16385 bytes, at most 16384/],
    ['when it is empty', raw(''), 'unreadable', /not JSON, found nothing/],
    ['when it is not JSON', raw('stop it!'), 'unreadable', /not JSON, found "stop it!"/],
    ['when it is not UTF-8', { bytes: Buffer.from([0xff, 0x7b]), signature: null }, 'unreadable', /not UTF-8/],
    ['when it is an array', raw([]), 'unreadable', /shape is wrong/],
    ['when it is null', raw('null'), 'unreadable', /shape is wrong/],
    ['when its version is another', raw({ ...sampleAlert(), version: 2 }), 'unreadable', /version is wrong, found '2'/],
    ['when a field is unknown', raw({ ...sampleAlert(), force: true }), 'unreadable', /force/],
    [
      'when its scope is none',
      raw({ ...sampleAlert(), scope: 'world' }),
      'unreadable',
      /scope is wrong, found 'world'/,
    ],
    ['when it asks to go on', raw({ ...sampleAlert(), mode: 'disengaged' }), 'unreadable', /mode is wrong/],
    ['when its target cannot be', raw(sampleAlert({ scope: 'global' })), 'unreadable', /'acme' is no target of scope/],
    [
      'when its pattern matches nothing',
      raw(sampleAlert({ scope: 'capability', target: '*/x' })),
      'unreadable',
      /target/,
    ],
    ['when the store could not keep it', raw(halfPair), 'unreadable', /target is wrong.*surrogate/],
    ['when it holds NUL', raw(sampleAlert({ reason: 'a\0b' })), 'unreadable', /reason is wrong.*U\+0000/],
    ['when its revision is none', raw({ ...sampleAlert(), observedRevision: -1 }), 'unreadable', /observedRevision/],
    [
      'when its time is none',
      raw({ ...sampleAlert(), raisedAt: 'today' }),
      'unreadable',
      /raisedAt is wrong, found 'today'/,
    ],
    [
      'when it would be good for ever',
      raw(sampleAlert({ expiresAt: at(MAX_ALERT_LIFE_MS) })),
      'unreadable',
      /expiresAt is wrong.*at most 86400000 ms/,
    ],
    ['when a short one names nobody', raw({ agent_id: '', reason: '' }), 'unreadable', /agent_id is wrong/],
    ['when a short one is signed', { ...raw({ agent_id: 'x', reason: '' }), signature: 'AAAA' }, 'forged', /full form/],
    ['when it is of another namespace', signed(detector, { namespace: 'b' }), 'other-namespace', /'b', this .* 'ns'/],
    [
      'when nobody knows its detector',
      signed(detector, { detector: 'x' }),
      'unknown-detector',
      /'x', which has no key/,
    ],
    ['when another key signed it', forged, 'forged', /'write-rate', but not by its key/],
    ['when a byte was touched', touched, 'forged', /not by its key/],
    ['when its signature is none', { ...signed(detector), signature: '' }, 'forged', /not by its key/],
    ['when it reaches too far', signed(detector, { scope: 'global', target: '*' }), 'overreaching', /scope 'tenant'/],
    ['when it is too strict', signed(detector, { mode: 'emergency' }), 'overreaching', /at most halt_all/],
    ['when it is unsigned and wide', raw(sampleAlert()), 'overreaching', /at most halt_all of scope 'agent'/],
    [
      'when it comes from the future',
      signed(detector, { raisedAt: at(5_001) }),
      'future-dated',
      /set the detector's clock/,
    ],
  ];

  test.each(cases)('%s', (_, sent, code, why) => {
    const judgement = judge(sent);
    expect(judgement).toMatchObject({ kind: 'poison', code });
    expect(judgement.kind === 'poison' ? judgement.why : '').toMatch(why);
  });

  test('when it is unsigned and only signed ones are read', () => {
    for (const sent of [raw({ agent_id: 'x', reason: '' }), raw(sampleAlert({ scope: 'run', target: 'r' }))]) {
      expect(judge(sent, { unsigned: 'refused' })).toMatchObject({ kind: 'poison', code: 'unsigned' });
      expect(judge(sent).kind).toBe('trip');
    }
  });
});
