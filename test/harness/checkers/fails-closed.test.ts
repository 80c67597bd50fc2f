import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { effect, fault, find, plus, withScenario, without } from './history-builder.ts';
import type { DraftDrill } from './history-builder.ts';

const PROPERTY = 'fails_closed';
const LOST = AT.released + 1_000;
const LEASE_AND_ABORT_MS = 1_500;

function outage(lastsMs: number): DraftDrill {
  const draft = cleanDrill({ outage: { fromMs: LOST, toMs: LOST + lastsMs } });
  return plus(draft, ...fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, LOST, LOST + lastsMs));
}

const arrival = (atMs: number) =>
  effect({ atMs, worker: 1, run: 'run-1', capability: 'read/crm', key: `open-${atMs}`, step: 1 });

describe(PROPERTY, () => {
  it('passes when nothing came once lease and abort were over', () => {
    expect(check(PROPERTY, outage(2_000))).toMatchObject({ verdict: 'pass', evidence: { cause: 'kill of postgres' } });
  });

  it('lets effects be that come within lease and abort, or with the store back', () => {
    expect(check(PROPERTY, plus(outage(2_000), ...arrival(LOST + LEASE_AND_ABORT_MS))).verdict).toBe('pass');
    expect(check(PROPERTY, plus(outage(2_000), ...arrival(LOST + 2_001))).verdict).toBe('pass');
  });

  it('fails on one effect after that, whatever its scope, and names it', () => {
    expect(check(PROPERTY, plus(outage(2_000), ...arrival(LOST + LEASE_AND_ABORT_MS + 100)))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('1600 ms into the kill of postgres'),
      evidence: { run: 'run-1', tenant: 'beta', capability: 'read/crm', worker: 'worker-1' },
    });
  });

  it('is inconclusive about an outage too short to see anything in, or with too little due', () => {
    expect(check(PROPERTY, outage(1_600))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'an outage longer than lease and abort' },
    });
    const idle = without(outage(2_000), ({ body, atMs }) => body.type === 'run.due' && atMs > LOST);
    expect(check(PROPERTY, idle)).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('20 effects due per worker'),
    });
  });

  it('is inconclusive when no run was under way that could have gone on', () => {
    const idle = without(outage(2_000), ({ body, atMs }) => {
      return body.type === 'effect.arrived' && atMs > LOST - 2_500 && atMs < LOST;
    });
    expect(check(PROPERTY, idle)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a run under way, with a call ahead of it, when the store was lost' },
    });
  });

  it('counts runs that a stop covers, too, when the stop was asked of a store that was lost already', () => {
    const lost = AT.stop - 50;
    const cut = (plane: 'registry' | 'work', nth: number) =>
      fault({ fault: nth, kind: 'cut', target: 'worker-1', plane }, lost, lost + 3_000);
    const clean = cleanDrill();
    const stopped = new Set(clean.runs.filter(({ tenant }) => tenant === 'acme').map(({ run }) => run));
    const drill = plus(clean, ...cut('registry', 1), ...cut('work', 2));
    const onlyStopped = without(drill, ({ body, atMs }) => {
      if (body.type !== 'effect.arrived' || body.worker !== 'worker-1') return false;
      return atMs > lost + LEASE_AND_ABORT_MS || (atMs < lost && !stopped.has(body.run));
    });
    expect(check(PROPERTY, onlyStopped).verdict).toBe('pass');
    const none = without(onlyStopped, ({ body, atMs }) => body.type === 'effect.arrived' && atMs < lost);
    expect(check(PROPERTY, none).verdict).toBe('inconclusive');
  });

  it.each([
    ['cut', 'cut'],
    ['half-open', 'half-open'],
    ['reset', 'cut'],
  ] as const)('judges a worker whose planes were %s and %s, and no other', (registryKind, workKind) => {
    const cut = (which: 'registry' | 'work', nth: number) =>
      fault(
        { fault: nth, kind: which === 'work' ? workKind : registryKind, target: 'worker-1', plane: which },
        LOST,
        LOST + 3_000,
      );
    const draft = cleanDrill();
    expect(check(PROPERTY, plus(draft, ...cut('registry', 1))).verdict).toBe('not_applicable');
    expect(check(PROPERTY, plus(draft, ...cut('registry', 1), ...cut('work', 2)))).toMatchObject({
      verdict: 'fail',
      evidence: { worker: 'worker-1' },
    });
    const quiet = without(
      draft,
      ({ body, atMs }) => body.type === 'effect.arrived' && body.worker === 'worker-1' && atMs > LOST,
    );
    expect(check(PROPERTY, plus(quiet, ...cut('registry', 1), ...cut('work', 2))).verdict).toBe('pass');
  });

  it.each([
    ['the store', [{ fault: 1, kind: 'kill', target: 'postgres', plane: null }], 'kill of postgres'],
    [
      'a plane',
      [
        { fault: 1, kind: 'cut', target: 'worker-1', plane: 'registry' },
        { fault: 2, kind: 'half-open', target: 'worker-1', plane: 'work' },
      ],
      'cut of every plane of worker-1',
    ],
  ] as const)('does not blame the fleet for a fault on %s that nobody saw to act', (_, facts, cause) => {
    const faults = facts.flatMap((one) => fault(one, LOST, LOST + 3_000));
    const draft = plus(cleanDrill(), ...faults);
    expect(check(PROPERTY, draft).verdict).toBe('fail');
    const unseen = without(draft, ({ body }) => body.type === 'fault.observed' && body.fault === facts.length);
    expect(check(PROPERTY, unseen)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: `that the ${cause} was seen to act` },
    });
  });

  describe('of a store that has just started', () => {
    const admitted = find(cleanDrill(), 'store.intent', (_, atMs) => atMs > AT.released);
    const bornAt = (atMs: number): DraftDrill => {
      const alone = without(
        cleanDrill(),
        (timed) => timed.body.type === 'store.intent' && timed.body !== admitted.body,
      );
      return plus(alone, { ...admitted }, { atMs, body: { type: 'store.life' } });
    };

    it('fails on an intent that it admits within 600 ms of its first answer, by its own clock', () => {
      expect(check(PROPERTY, bornAt(admitted.atMs - 599))).toMatchObject({
        verdict: 'fail',
        reason: expect.stringContaining('was admitted by a store that had been up for 599 ms'),
      });
      expect(check(PROPERTY, bornAt(admitted.atMs)).verdict).toBe('fail');
    });

    it('lets be what it admits later, and what its life before has admitted', () => {
      expect(check(PROPERTY, bornAt(admitted.atMs - 600)).verdict).toBe('not_applicable');
      expect(check(PROPERTY, bornAt(admitted.atMs + 1)).verdict).toBe('not_applicable');
    });
  });

  it('does not take a plane that is slow for one that is shut', () => {
    const slow = (kind: 'latency' | 'jitter' | 'bandwidth') =>
      (['registry', 'work'] as const).flatMap((plane, at) =>
        fault({ fault: at + 1, kind, target: 'worker-1', plane }, LOST, LOST + 3_000),
      );
    for (const kind of ['latency', 'jitter', 'bandwidth'] as const) {
      expect(check(PROPERTY, plus(cleanDrill(), ...slow(kind))).verdict).toBe('not_applicable');
    }
  });

  it('does not apply without such a fault', () => {
    expect(check(PROPERTY, cleanDrill()).verdict).toBe('not_applicable');
    expect(
      check(
        PROPERTY,
        withScenario(cleanDrill(), (scenario) => scenario),
      ).verdict,
    ).toBe('not_applicable');
  });
});
