import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlertDraft } from '../../../src/detect/alert-draft.ts';
import { Detection } from '../../../src/detect/detection.ts';
import type { Observation } from '../../../src/detect/observation.ts';
import type { DetectorRule } from '../../../src/detect/rule.ts';
import { BUCKETS } from '../../../src/detect/sliding-window.ts';
import { ManualClock } from '../manual-clock.ts';
import { redTargets } from './naive-detectors.ts';
import type { Seen } from './naive-detectors.ts';

const names = fc.constantFrom('a', 'b', 'c');
const actor = {
  tenant: fc.option(names),
  feature: fc.option(names),
  agent: names,
  run: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
};
const observations: fc.Arbitrary<Observation> = fc.oneof(
  fc.record({
    ...actor,
    kind: fc.constant('effect' as const),
    capability: fc.constantFrom('write/mail', 'write/crm', 'model/chat'),
    access: fc.constantFrom('read' as const, 'write' as const),
    fingerprint: fc.option(fc.constantFrom('f', 'g')),
  }),
  fc.record({ ...actor, kind: fc.constant('cost' as const), amount: fc.integer({ min: 0, max: 5 }) }),
  fc.record({
    ...actor,
    kind: fc.constant('metric' as const),
    name: fc.constantFrom('toxicity', 'other'),
    value: fc.integer({ min: -3, max: 3 }),
  }),
);
const windowMs = fc.integer({ min: 10, max: 100 }).map((bucketMs) => bucketMs * BUCKETS);
const base = { name: fc.constant('rule'), mode: fc.constant('halt_all' as const), windowMs };
/** Rules whose metric only grows with what the window holds, so that the two edges of the window bound it. */
const growing: fc.Arbitrary<DetectorRule> = fc.oneof(
  fc.record({
    ...base,
    kind: fc.constant('write-rate' as const),
    per: fc.constantFrom('tenant' as const, 'capability' as const, 'agent' as const),
    capabilities: fc.constantFrom([], ['write/*'], ['write/mail']),
    eachCapability: fc.boolean(),
    perSecond: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    ...base,
    kind: fc.constant('cost' as const),
    per: fc.constantFrom('run' as const, 'tenant' as const, 'global' as const),
    amount: fc.integer({ min: 1, max: 25 }),
  }),
  fc.record({
    ...base,
    kind: fc.constant('loop' as const),
    per: fc.constantFrom('run' as const, 'agent' as const),
    times: fc.integer({ min: 2, max: 6 }),
  }),
  fc.record({
    ...base,
    kind: fc.constant('guardrail' as const),
    per: fc.constantFrom('global' as const, 'tenant' as const),
    metric: fc.constant('toxicity'),
    judge: fc.constant('worst' as const),
    minReadings: fc.integer({ min: 1, max: 4 }),
    bound: fc.record({
      kind: fc.constantFrom('at-least' as const, 'at-most' as const),
      value: fc.integer({ min: -3, max: 3 }),
    }),
  }),
);
const mean: fc.Arbitrary<DetectorRule> = fc.record({
  ...base,
  kind: fc.constant('guardrail' as const),
  per: fc.constantFrom('global' as const, 'agent' as const),
  metric: fc.constant('toxicity'),
  judge: fc.constant('mean' as const),
  minReadings: fc.integer({ min: 1, max: 4 }),
  bound: fc.record({
    kind: fc.constantFrom('at-least' as const, 'at-most' as const),
    value: fc.integer({ min: -2, max: 2 }),
  }),
});
/** Mostly dense, so that there is something to see, with pauses in which it passes. */
const gapMs = fc.oneof({ weight: 12, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.nat(900) });
const steps = fc.array(fc.record({ gapMs, observation: observations }), { minLength: 1, maxLength: 120, size: 'max' });

interface Rig {
  readonly clock: ManualClock;
  readonly detection: Detection;
  readonly raised: AlertDraft[];
}

function rig(rule: DetectorRule): Rig {
  const clock = new ManualClock();
  const raised: AlertDraft[] = [];
  const port = { raise: (draft: AlertDraft) => Promise.resolve(void raised.push(draft)) };
  const config = { detector: 'd', widestScope: 'global' as const, repeatMs: 500, maxSeries: 1_000, rules: [rule] };
  return { clock, detection: new Detection(config, port, clock), raised };
}

function judge(rule: DetectorRule, given: readonly { readonly gapMs: number; readonly observation: Observation }[]) {
  const { clock, detection, raised } = rig(rule);
  const seen: Seen[] = [];
  const bucketMs = rule.windowMs / BUCKETS;
  return given.map(({ gapMs, observation }) => {
    clock.block(gapMs);
    const nowMs = clock.monotonicMs();
    seen.push({ atMs: nowMs, observation });
    const before = new Set(detection.red().map(({ target }) => target));
    const raisedBefore = raised.length;
    detection.observe(observation);
    const bucketStartMs = (Math.floor(nowMs / bucketMs) - BUCKETS) * bucketMs;
    return {
      red: new Set(detection.red().map(({ target }) => target)),
      before,
      raised: raised.slice(raisedBefore).map(({ target }) => target),
      /** Exactly the window; the window and a bucket; and what the buckets hold, to the last value. */
      least: redTargets(rule, seen, nowMs - rule.windowMs),
      most: redTargets(rule, seen, nowMs - rule.windowMs - bucketMs),
      held: redTargets(rule, seen, bucketStartMs),
    };
  });
}

describe('detectors, beside a naive oracle', () => {
  it('see all that is red within the window, and nothing that is not red within a tenth more', () => {
    let reds = 0;
    fc.assert(
      fc.property(growing, steps, (rule, given) => {
        for (const { red, least, most, held } of judge(rule, given)) {
          expect([...least].filter((target) => !red.has(target))).toEqual([]);
          expect([...red].filter((target) => !most.has(target))).toEqual([]);
          // what fell out of the window shows at the next look, not before
          expect([...held].filter((target) => !red.has(target))).toEqual([]);
          reds += red.size;
        }
      }),
      { numRuns: 300 },
    );
    expect(reds).toBeGreaterThan(100); // the oracle had something to say
  });

  it('know the mean of what their buckets hold, for the series that was just heard of', () => {
    fc.assert(
      fc.property(mean, steps, (rule, given) => {
        const verdicts = judge(rule, given);
        for (const [at, { red, held }] of verdicts.entries()) {
          const observation = given[at]?.observation;
          if (observation === undefined) continue;
          const target = rule.per === 'global' ? '*' : observation.agent;
          if (observation.kind !== 'metric' || observation.name !== 'toxicity') continue;
          expect(red.has(target)).toBe(held.has(target));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('raise at the very observation that makes a metric red', () => {
    let raises = 0;
    fc.assert(
      fc.property(growing, steps, (rule, given) => {
        for (const { red, before, raised } of judge(rule, given)) {
          for (const target of red) if (!before.has(target)) expect(raised).toContain(target);
          for (const target of raised) expect(red).toContain(target);
          raises += raised.length;
        }
      }),
      { numRuns: 300 },
    );
    expect(raises).toBeGreaterThan(100);
  });
});
