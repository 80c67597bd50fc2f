import { describe, expect, test } from 'vitest';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import type { Scenario, TimelineEntry } from '../../../harness/scenario/scenario.ts';
import { resolveSelectors } from '../../../harness/traffic/resolve-selectors.ts';
import type { PlanStep, TraceRun } from '../../../harness/traffic/trace.ts';
import { scenarioText } from '../scenario/scenario-text.ts';

const step: PlanStep = { capability: 'write/mail', access: 'write', journal: true, serviceMs: 5, deadlineMs: 2_000 };
const run = (name: string, [tenant = '', feature = '', agent = '']: readonly string[], effects: number): TraceRun => {
  return { dueMs: 0, run: name, tenant, feature, agent, plan: Array.from({ length: effects }, () => step) };
};
const runs = [
  run('r1', ['acme', 'f1', 'a1'], 3),
  run('r2', ['beta', 'f2', 'a1'], 2),
  run('r3', ['beta', 'f2', 'a2'], 2),
];

const base = parseScenario(scenarioText(), 'x.yaml', []);
const when = { kind: 'exposed' } as const;
const ON_NO_PLANE = { plane: null, direction: null, delayMs: null, bytesPerSecond: null, offsetMs: null } as const;
function resolved(entries: readonly TimelineEntry[], traffic = runs): Scenario['timeline'] {
  return resolveSelectors({ ...base, timeline: entries }, traffic).timeline;
}
const flip = (scope: 'tenant' | 'feature' | 'agent' | 'capability' | 'run', target: string): TimelineEntry => {
  const rest = { mode: 'halt_all', queue: 'discard', drainMs: null, via: 'postgres', wait: true, reason: 'x' } as const;
  return { kind: 'flip', when, scope, target, runawayPerSecond: null, effectiveWithinMs: null, ...rest };
};

describe('selectors come to', () => {
  test.each([
    ['tenant', '$busiest', 'beta'],
    ['feature', '$busiestFeature', 'f2'],
    ['agent', '$busiestAgent', 'a1'],
    ['capability', '$busiestCapability', 'write/mail'],
    ['run', '$primedRun', 'primed-001'],
    ['tenant', 'acme', 'acme'],
  ] as const)('what has most planned effects: %s %s is %s', (scope, selector, name) => {
    expect(resolved([flip(scope, selector)])).toMatchObject([{ target: name }]);
  });

  test('the same in every kind of entry, and in what it waits for', () => {
    const anchor = { kind: 'effect', count: 7, scope: 'tenant', target: '$busiest' } as const;
    const entries: readonly TimelineEntry[] = [
      { kind: 'release', when: anchor, scope: 'tenant', target: '$busiest', expect: 'taken', via: 'api', reason: 'x' },
      { kind: 'resume', when, which: { kind: 'tenant', tenant: '$busiest' }, staging: { kind: 'at-once' } },
      { kind: 'resume', when, which: { kind: 'runs', runs: ['r9', '$primedRun'] }, staging: { kind: 'at-once' } },
      { kind: 'resume', when, which: { kind: 'all' }, staging: { kind: 'at-once' } },
      {
        kind: 'compensate',
        when,
        scope: 'feature',
        target: '$busiestFeature',
        capability: 'c',
        atMost: 1,
        twice: false,
      },
      { kind: 'contract', when: anchor, contract: { model: 'm', prompt: 'p', tools: {} } },
      { kind: 'fault', when: anchor, fault: 'kill', target: 'postgres', ...ON_NO_PLANE, forMs: 5 },
    ];
    expect(resolved(entries)).toEqual([
      { ...entries[0], when: { ...anchor, target: 'beta' }, target: 'beta' },
      { ...entries[1], which: { kind: 'tenant', tenant: 'beta' } },
      { ...entries[2], which: { kind: 'runs', runs: ['r9', 'primed-001'] } },
      entries[3],
      { ...entries[4], target: 'f2' },
      { ...entries[5], when: { ...anchor, target: 'beta' } },
      { ...entries[6], when: { ...anchor, target: 'beta' } },
    ]);
  });

  test('a placeholder when there is no traffic', () => {
    const targets = resolved([flip('feature', '$busiestFeature'), flip('agent', '$busiestAgent')], []);
    expect(targets).toMatchObject([{ target: 'nobody' }, { target: 'nobody' }]);
  });
});

test('a selector that is none is refused by name', () => {
  expect(() => resolved([flip('tenant', '$laziest')])).toThrow(expect.objectContaining({ code: 'SELECTOR_UNKNOWN' }));
});
