import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../src/flip-text.ts';
import { check } from './checking.ts';
import { executorUp } from './clean-alerts.ts';
import { AT, cleanDrill, releaseFlip, stopFlip, storeRows } from './clean-drill.ts';
import { changed, effect, fault, find, plus, without, withoutStops } from './history-builder.ts';
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

const ACME = { scope: 'tenant', target: 'acme' } as const;

const executorKilled = (readyMs = READY): DraftDrill =>
  plus(
    clean,
    ...executorUp('executor-1', 60),
    ...fault({ fault: 1, kind: 'kill', target: 'executor-1', plane: null }, KILLED, READY),
    ...executorUp('executor-1', readyMs),
  );

const kafkaRestarted = (toMs = READY): DraftDrill =>
  plus(clean, ...fault({ fault: 1, kind: 'restart', target: 'kafka', plane: null }, KILLED, toMs));

const api = { fault: 1, kind: 'kill', target: 'api', plane: null } as const;
const apiUp = (atMs: number): readonly Timed[] => [
  { atMs: atMs - 500, body: { type: 'api.spawned', pid: 900 } },
  { atMs, body: { type: 'api.ready' } },
];
const apiKilled = (readyMs = READY, fromMs = KILLED): DraftDrill =>
  plus(clean, ...apiUp(60), ...fault(api, fromMs, readyMs), ...apiUp(readyMs));

/** The API killed under a stop that it had taken for the time being; `durable` when the store got it afterwards. */
function takenProvisionally(durable: boolean): DraftDrill {
  const taken = changed(apiKilled(), (timed) => {
    const { body } = timed;
    if (body.type !== 'flip.answered' || body.kind !== 'stop') return timed;
    const provisional = { why: 'the store is away', reached: [], kept: true };
    return { ...timed, body: { ...body, revision: null, provisional } };
  });
  if (!durable) return without(taken, ({ body }) => body.type === 'store.flip');
  const { body, atMs } = find(taken, 'flip.answered', ({ kind }) => kind === 'stop');
  const { ok: _, error: __, provisional: ___, ...facts } = body;
  return plus(taken, { atMs: atMs + 10, body: { ...facts, type: 'flip.durable', revision: 1 } });
}

/** The store in which somebody closes the stop before its release. */
const closedBefore = (draft: DraftDrill): DraftDrill =>
  plus(
    without(draft, ({ body }) => body.type === 'store.flip' || body.type === 'store.head'),
    ...storeRows([stopFlip(ACME), { ...releaseFlip(ACME), id: 'ghost' }].map(canonicalText)),
  );

const sends = (atMs: number, channel: number): readonly Timed[] =>
  effect({ atMs, worker: channel, run: 'run-3', capability: 'write/mail', key: `again-${atMs}` });

describe(PROPERTY, () => {
  it('passes when a worker came back under the stop and sent nothing in scope', () => {
    expect(check(PROPERTY, restarted())).toMatchObject({ verdict: 'pass', evidence: { target: 'worker-1' } });
  });

  it('passes when PostgreSQL came back under the stop', () => {
    expect(check(PROPERTY, storeKilled())).toMatchObject({ verdict: 'pass', evidence: { target: 'postgres' } });
  });

  it('passes when an executor, the API, or Kafka came back under the stop', () => {
    for (const [draft, target] of [
      [apiKilled(), 'api'],
      [executorKilled(), 'executor-1'],
      [kafkaRestarted(), 'kafka'],
    ] as const)
      expect(check(PROPERTY, draft)).toMatchObject({
        verdict: 'pass',
        evidence: { target, backAtMs: expect.closeTo(READY - AT.traffic, 1) },
      });
  });

  it.each([
    ['an executor', executorKilled(), 'executor-1'],
    ['the API', apiKilled(), 'api'],
    ['Kafka', kafkaRestarted(), 'kafka'],
  ] as const)('fails when something in scope is sent once %s is back, or the stop is closed', (_, draft, target) => {
    expect(check(PROPERTY, plus(draft, ...sends(READY + 100, 2)))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/once (executor-1|the API|Kafka) was back, \d+ ms after the stop of tenant:acme/),
      evidence: { run: 'run-3', target },
    });
    expect(check(PROPERTY, closedBefore(draft))).toMatchObject({
      verdict: 'fail',
      reason: 'the stop of tenant:acme was closed at revision 2, which no release asked for',
      evidence: { target, closedRevision: 2 },
    });
    const gone = without(draft, ({ body }) => body.type === 'store.flip');
    expect(check(PROPERTY, gone)).toMatchObject({
      verdict: 'fail',
      reason: 'the store has no engagement of the stop of tenant:acme',
    });
  });

  it.each<[string, DraftDrill]>([
    ['an executor ready again while the stop was on', executorKilled(AT.released + 200)],
    [
      'an executor ready again while the stop was on',
      without(executorKilled(), ({ body, atMs }) => body.type === 'executor.ready' && atMs > KILLED),
    ],
    [
      'an API that takes requests again while the stop was on',
      without(apiKilled(), ({ body, atMs }) => body.type === 'api.ready' && atMs > KILLED),
    ],
    ['Kafka back while the stop was on', kafkaRestarted(AT.released + 200)],
    ['the store read at the end', without(kafkaRestarted(), ({ body }) => body.type === 'store.head')],
    ['the store read at the end', without(executorKilled(), ({ body }) => body.type === 'store.head')],
    [
      'work in scope due after the return',
      without(kafkaRestarted(), ({ body, atMs }) => body.type === 'run.due' && atMs > READY && atMs < AT.release),
    ],
  ])('is inconclusive about an executor or Kafka without %s', (obligation, draft) => {
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'inconclusive', evidence: { obligation } });
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

  it('has nothing to say of an API that is gone when the release is asked for: it has to come back first', () => {
    expect(check(PROPERTY, apiKilled(AT.release + 200, AT.release - 100)).verdict).toBe('not_applicable');
  });

  it('fails when a stop that was taken for the time being is not in the store after its taker was killed', () => {
    expect(check(PROPERTY, takenProvisionally(true))).toMatchObject({ verdict: 'pass', evidence: { target: 'api' } });
    expect(check(PROPERTY, takenProvisionally(false))).toMatchObject({
      verdict: 'fail',
      reason: 'the stop of tenant:acme, which was taken for the time being, is not in the store after the kill of api',
      evidence: { flip: 1, target: 'api' },
    });
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
