import { describe, expect, it } from 'vitest';
import { check } from './checking.ts';
import { AT, cleanDrill } from './clean-drill.ts';
import { lagging } from './lagging.ts';
import { changed, fault, plus, without, withScenario } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

const clean = cleanDrill();
const isArrival = ({ body }: Timed): boolean => body.type === 'effect.arrived';
const facts = new Map(clean.runs.map((run) => [run.run, run]));

function tenantOf({ body }: Timed): string | null {
  return 'run' in body ? (facts.get(body.run)?.tenant ?? null) : null;
}

/** Takes the arrivals of a stretch away. */
function silenced(
  draft: DraftDrill,
  fromMs: number,
  toMs: number,
  also: (timed: Timed) => boolean = () => true,
): DraftDrill {
  return without(draft, (timed) => isArrival(timed) && timed.atMs > fromMs && timed.atMs < toMs && also(timed));
}

describe('blast_radius_contained', () => {
  const PROPERTY = 'blast_radius_contained';

  it('passes a clean drill', () => {
    expect(check(PROPERTY, clean)).toMatchObject({ verdict: 'pass', evidence: { due: 325, arrived: 325 } });
  });

  it.each([
    ['everything stopped', () => true, 'everything outside'],
    ['another tenant stopped as well', (timed: Timed) => tenantOf(timed) === 'beta', 'tenant beta'],
    [
      'a capability stopped as well',
      ({ body }: Timed) => 'capability' in body && body.capability === 'write/mail',
      'capability write/mail',
    ],
  ])('fails when %s, naming the group', (_, also, group) => {
    expect(check(PROPERTY, silenced(clean, AT.stop, AT.release, also))).toMatchObject({
      verdict: 'fail',
      evidence: { group, scope: 'tenant:acme', revision: 1 },
    });
  });

  it('fails when one worker let nothing through, though the others made up for it', () => {
    const draft = silenced(
      clean,
      AT.stop,
      AT.release,
      ({ body }) => 'worker' in body && body.worker === 'worker-2' && tenantOf({ atMs: 0, body }) !== 'acme',
    );
    const taken = without(
      draft,
      ({ body }) =>
        body.type === 'run.due' &&
        !draft.timed.some((other) => isArrival(other) && 'run' in other.body && other.body.run === body.run),
    );
    expect(check(PROPERTY, taken)).toMatchObject({ verdict: 'fail', evidence: { worker: 'worker-2' } });
  });

  it('expects nothing in an unverified window, and still judges the rest of the stop', () => {
    const outage = { fromMs: AT.durable + 1_000, toMs: AT.durable + 3_000 };
    const kill = fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, outage.fromMs, outage.toMs);
    expect(check(PROPERTY, plus(cleanDrill({ outage }), ...kill)).verdict).toBe('inconclusive');
    const brief = { fromMs: AT.durable + 100, toMs: AT.durable + 600 };
    const shortKill = fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, brief.fromMs, brief.toMs);
    const draft = plus(cleanDrill({ outage: brief }), ...shortKill);
    expect(check(PROPERTY, draft)).toMatchObject({ verdict: 'pass' });
    expect(check(PROPERTY, silenced(draft, brief.toMs, AT.release)).verdict).toBe('fail');
  });

  it('is inconclusive when nothing was due outside of the scope', () => {
    const draft = without(clean, (timed) => timed.body.type === 'run.due' && tenantOf(timed) !== 'acme');
    expect(check(PROPERTY, draft)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'work due outside the scope during the stop' },
    });
  });

  it('does not apply to a global stop', () => {
    expect(check(PROPERTY, cleanDrill({ on: { scope: 'global', target: '*' } })).verdict).toBe('not_applicable');
  });

  it('never makes a finding of what a lost tail may have held', () => {
    expect(check(PROPERTY, { ...silenced(clean, AT.stop, AT.release), complete: false }).verdict).toBe('inconclusive');
  });
});

describe('release_takes_effect', () => {
  const PROPERTY = 'release_takes_effect';

  it('passes a clean drill', () => {
    expect(check(PROPERTY, clean)).toMatchObject({ verdict: 'pass' });
  });

  it('fails when the stop sticks, on all workers or on one', () => {
    const acme = (timed: Timed): boolean => tenantOf(timed) === 'acme';
    expect(check(PROPERTY, silenced(clean, AT.release, AT.end, acme))).toMatchObject({
      verdict: 'fail',
      evidence: { tenant: 'acme', arrived: 0 },
    });
    const onOne = silenced(
      clean,
      AT.release,
      AT.end,
      (timed) => acme(timed) && 'worker' in timed.body && timed.body.worker === 'worker-1',
    );
    expect(check(PROPERTY, onOne).verdict).toBe('fail');
  });

  it('is inconclusive without work due after the release, or without an answer to it', () => {
    const idle = without(clean, (timed) => timed.body.type === 'run.due' && timed.atMs > AT.release);
    expect(check(PROPERTY, idle)).toMatchObject({ evidence: { obligation: 'work in scope due after the release' } });
    const unanswered = without(clean, ({ body }) => body.type === 'flip.answered' && body.kind === 'release');
    expect(check(PROPERTY, unanswered)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'the release acknowledged' },
    });
  });

  it('does not apply to a stopped run, or when nothing is released', () => {
    expect(check(PROPERTY, cleanDrill({ on: { scope: 'run', target: 'primed-run' } })).verdict).toBe('not_applicable');
    expect(check(PROPERTY, cleanDrill({ isReleased: false })).verdict).toBe('not_applicable');
  });
});

describe('no_spurious_halt', () => {
  const PROPERTY = 'no_spurious_halt';

  it('passes a clean drill, and one with an outage', () => {
    expect(check(PROPERTY, clean)).toMatchObject({ verdict: 'pass' });
    const outage = { fromMs: AT.durable + 1_000, toMs: AT.durable + 3_000 };
    const kill = fault({ fault: 1, kind: 'kill', target: 'postgres', plane: null }, outage.fromMs, outage.toMs);
    expect(check(PROPERTY, plus(cleanDrill({ outage }), ...kill)).verdict).toBe('pass');
  });

  it('fails when work is lost before any stop', () => {
    expect(check(PROPERTY, silenced(clean, AT.traffic + 300, AT.stop))).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('only'),
    });
  });

  it('fails when a worker ends by itself while the stop is on and nobody comes up in its stead', () => {
    const isOfOne = ({ body }: Timed): boolean => 'channel' in body && body.channel === 2;
    const silent = silenced(clean, AT.released, AT.drain, isOfOne);
    const runs = new Set(silent.timed.flatMap(({ body }) => (body.type === 'effect.arrived' ? [body.run] : [])));
    const shared = without(silent, ({ body, atMs }) => {
      return body.type === 'run.due' && atMs > AT.released && !runs.has(body.run);
    });
    const ended = (expected: boolean) =>
      changed(shared, (timed) =>
        timed.body.type === 'worker.exited' && timed.body.channel === 2
          ? { ...timed, atMs: AT.stop + 1_000, body: { ...timed.body, code: 1, expected } }
          : timed,
      );
    expect(check(PROPERTY, ended(false))).toMatchObject({ verdict: 'fail', evidence: { worker: 'worker-2' } });
    expect(check(PROPERTY, ended(true)).verdict).toBe('pass');
  });

  it('excuses a silence for as long as a fault explains it, and no longer', () => {
    const isOfOne = ({ body }: Timed): boolean => 'channel' in body && body.channel === 2;
    const from = AT.released + 700;
    const silent = silenced(cleanDrill({ isReleased: true }), from, AT.drain, isOfOne);
    const runs = new Set(silent.timed.flatMap(({ body }) => (body.type === 'effect.arrived' ? [body.run] : [])));
    const shared = without(silent, ({ body, atMs }) => {
      return body.type === 'run.due' && atMs > from && !runs.has(body.run);
    });
    const cut = (toMs: number) =>
      fault({ fault: 1, kind: 'cut', target: 'worker-2', plane: 'registry' }, from - 500, toMs);
    expect(check(PROPERTY, plus(shared, ...cut(AT.drain - 2_500))).verdict).toBe('pass');
    expect(check(PROPERTY, plus(shared, ...cut(from - 450)))).toMatchObject({
      verdict: 'fail',
      evidence: { worker: 'worker-2' },
    });
  });

  it('fails when one worker goes silent while its share of work is due', () => {
    const quiet = silenced(
      clean,
      AT.released + 700,
      AT.drain,
      ({ body }) => 'worker' in body && body.worker === 'worker-2',
    );
    const runs = new Set(
      quiet.timed.flatMap((timed) => (isArrival(timed) && 'run' in timed.body ? [timed.body.run] : [])),
    );
    const shared = without(
      quiet,
      ({ body, atMs }) => body.type === 'run.due' && atMs > AT.released && !runs.has(body.run),
    );
    expect(check(PROPERTY, shared)).toMatchObject({ verdict: 'fail', evidence: { worker: 'worker-2' } });
  });

  it('is inconclusive when hardly anything was due', () => {
    const idle = without(clean, ({ body }) => body.type === 'run.due');
    expect(check(PROPERTY, idle)).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'work due outside of stops and faults' },
    });
  });

  it('applies to a drill without a stop', () => {
    const calm = withScenario(clean, (scenario) => ({ ...scenario, timeline: [] }));
    const unstopped = without(calm, (timed) => 'flip' in timed.body || tenantOf(timed) === 'acme');
    expect(check(PROPERTY, unstopped).verdict).toBe('pass');
  });
});

describe('work that is missing', () => {
  const cases: readonly [string, DraftDrill][] = [
    ['blast_radius_contained', silenced(clean, AT.stop, AT.release)],
    ['release_takes_effect', silenced(clean, AT.released, AT.drain)],
    ['no_spurious_halt', silenced(clean, 0, AT.stop)],
  ];

  it.each(cases)('is no finding of %s where the machine had no room for the drill, and never a pass', (name, draft) => {
    expect(check(name, draft).verdict).toBe('fail');
    expect(check(name, lagging(draft, 5)).verdict).toBe('fail');
    expect(check(name, lagging(draft, 15))).toMatchObject({
      verdict: 'inconclusive',
      evidence: { obligation: 'a machine with room for the drill', stoodStillPercent: expect.any(Number) },
    });
  });

  it('is none where all of it came, however busy the machine was', () => {
    for (const [name] of cases) expect([name, check(name, lagging(clean, 40)).verdict]).toEqual([name, 'pass']);
  });
});
