import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { saidOf } from '../../fleet-sim/executor-event.ts';
import { judgeAlert } from '../../src/alerts/judge-alert.ts';
import type { AlertTrip, TripAnswer } from '../../src/alerts/alert-store.ts';
import { messageOf, newDetector, NOW_MS, policyFor, raw, signed } from '../src/alerts/samples.ts';

const detector = newDetector();
const policy = policyFor([detector]);
const message = messageOf(signed(detector), { partition: 2, position: 7 });
const spoken = { partition: 2, position: 7, content: createHash('sha256').update(message.bytes).digest('hex') };

function tripOf(): AlertTrip {
  const judgement = judgeAlert(message, policy, NOW_MS);
  if (judgement.kind !== 'trip') throw new Error('it asks for a stop');
  return judgement.trip;
}

const trip = tripOf();
const { flipId } = trip;

function answered(answer: Readonly<Record<string, unknown>>) {
  return saidOf({ kind: 'answered', message, trip, answer: answer as unknown as TripAnswer });
}

describe('what an executor says of an alert', () => {
  it('names the stop that it asks for, and the alert by its bytes', () => {
    const judgement = judgeAlert(message, policy, NOW_MS);
    expect(saidOf({ kind: 'read', message, judgement })).toEqual({ event: 'alert.read', flipId, ...spoken });
    expect(saidOf({ kind: 'held', message, trip })).toEqual({ event: 'alert.held', flipId, ...spoken });
    expect(spoken.content).toBe(trip.content);
  });

  it("has the revision of the flip, or of the release that made it stale, in the store's answer", () => {
    const said = { event: 'alert.answered', flipId, ...spoken };
    for (const kind of ['flip', 'duplicate'])
      expect(answered({ kind, record: { revision: 4 } })).toEqual({ ...said, kind, revision: 4 });
    expect(answered({ kind: 'stale', revision: 3 })).toEqual({ ...said, kind: 'stale', revision: 3 });
    expect(answered({ kind: 'reused' })).toEqual({ ...said, kind: 'reused', revision: null });
  });

  it('names no stop where none comes of it, and why', () => {
    const poison = messageOf(raw('not json'));
    const { content, ...place } = { partition: 0, position: 0, content: expect.stringMatching(/^[0-9a-f]{64}$/) };
    const judgement = judgeAlert(poison, policy, NOW_MS);
    const read = { event: 'alert.read', flipId: null, content, ...place };
    expect(saidOf({ kind: 'read', message: poison, judgement })).toEqual(read);
    const letter = saidOf({ kind: 'poison', message: poison, code: 'unreadable', why: 'it is no JSON' });
    expect(letter).toEqual({ event: 'alert.poison', code: 'unreadable', content, ...place });
  });
});
