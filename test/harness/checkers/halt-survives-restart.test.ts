import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { changed, effect, fault, plus, without, withoutStops } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

const PROPERTY = 'halt_survives_restart';
const clean = cleanDrill();
const KILLED = AT.durable + 1_000;
const READY = KILLED + 1_500;

/** Worker 1 is killed under the stop and comes back on a channel of its own. */
function restarted(readyMs = READY): DraftDrill {
  const facts = { fault: 1, kind: 'kill', target: 'worker-1', plane: null } as const;
  const died = changed(clean, (timed) =>
    timed.body.type === 'worker.exited' && timed.body.channel === 1
      ? { ...timed, atMs: KILLED, body: { ...timed.body, code: null, signal: 'SIGKILL' } }
      : timed,
  );
  const who = { worker: 'worker-1', channel: 3 };
  return plus(
    died,
    ...fault(facts, KILLED, readyMs),
    { atMs: readyMs - 500, body: { type: 'worker.spawned', ...who, pid: 300 } },
    { atMs: readyMs, body: { type: 'worker.ready', ...who, incarnation: 'life-3' } },
  );
}

const storeKilled = (): DraftDrill =>
  plus(clean, ...fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, KILLED, READY));

const sends = (atMs: number, channel: number): readonly Timed[] =>
  effect({ atMs, worker: channel, run: 'run-3', capability: 'write/mail', key: `again-${atMs}` });

describe(PROPERTY, () => {
  it('passes when a worker came back under the stop and sent nothing in scope', () => {
    expect(check(PROPERTY, restarted())).toMatchObject({ verdict: 'pass', evidence: { target: 'worker-1' } });
  });

  it('passes when PostgreSQL came back under the stop', () => {
    expect(check(PROPERTY, storeKilled())).toMatchObject({ verdict: 'pass', evidence: { target: 'postgres' } });
  });

  it.each<[string, DraftDrill, RegExp]>([
    [
      'the new incarnation sends something in scope',
      plus(restarted(), ...sends(READY + 100, 3)),
      /from the incarnation that came up in its stead, \d+ ms after the stop of tenant:acme/,
    ],
    [
      'it does so at once, when an old one would still have its budget',
      plus(restarted(AT.durable + 100), ...sends(AT.durable + 150, 3)),
      /came up in its stead/,
    ],
    [
      'the fleet sends something in scope once PostgreSQL is back',
      plus(storeKilled(), ...sends(READY + 100, 2)),
      /once PostgreSQL was back/,
    ],
  ])('fails when %s', (_, draft, reason) => {
    const early = draft.timed.some(
      ({ atMs, body }) => body.type === 'worker.ready' && body.channel === 3 && atMs < KILLED,
    );
    const shifted = early ? killedEarlier(draft) : draft;
    expect(check(PROPERTY, shifted)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(reason),
      evidence: { run: 'run-3', tenant: 'acme', revision: 1, kind: 'kill' },
    });
  });

  it('lets the new incarnation work outside of the scope, and after the release', () => {
    const outside = effect({ atMs: READY + 100, worker: 3, run: 'run-1', capability: 'write/mail', key: 'ok' });
    expect(check(PROPERTY, plus(restarted(), ...outside, ...sends(AT.released + 10, 3))).verdict).toBe('pass');
  });

  it.each<[string, DraftDrill]>([
    ['an incarnation ready while the stop was on', restarted(AT.released + 1_000)],
    [
      'work in scope due after the return',
      without(restarted(), ({ body, atMs }) => body.type === 'run.due' && atMs > READY && atMs < AT.release),
    ],
    [
      'PostgreSQL back while the stop was on',
      plus(clean, ...fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, KILLED, AT.released + 500)),
    ],
  ])('is inconclusive without %s', (obligation, draft) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'inconclusive', evidence: { obligation } });
  });

  it('does not apply when nobody came back under a stop, or nothing was stopped', () => {
    expect(check(PROPERTY, clean).verdict).toBe('not_applicable');
    const before = fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, 1_000, 2_000);
    expect(check(PROPERTY, plus(clean, ...before)).verdict).toBe('not_applicable');
    const cut = fault({ fault: 1, kind: 'cut', target: 'worker-1', plane: null }, KILLED, READY);
    expect(check(PROPERTY, plus(clean, ...cut)).verdict).toBe('not_applicable');
    expect(check(PROPERTY, withoutStops(clean)).verdict).toBe('not_applicable');
  });
});

/** The fault's receipts moved before the early incarnation's spawn. */
function killedEarlier(draft: DraftDrill): DraftDrill {
  return changed(draft, (timed) => {
    const { body } = timed;
    if (body.type === 'fault.recovered') return { ...timed, atMs: AT.durable + 100 };
    if (body.type.startsWith('fault.')) return { ...timed, atMs: AT.stop - 800 };
    return timed;
  });
}
