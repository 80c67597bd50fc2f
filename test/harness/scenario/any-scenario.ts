import fc from 'fast-check';
import { SCOPES, STOP_MODES } from '../../../src/switch.ts';
import { figureComplaints } from '../../../harness/scenario/meaning.ts';
import { LIMITS } from '../../../harness/scenario/limits.ts';
import type { Range } from '../../../harness/scenario/limits.ts';
import type { Anchor, FaultEntry, FlipEntry, Scenario, TimelineEntry } from '../../../harness/scenario/scenario.ts';
import { LINE } from '../../../harness/scenario/timeline-schema.ts';

const within = ({ min, max }: Range) => fc.integer({ min, max });
const line = fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }).filter((text) => LINE.test(text));
const prose = fc
  .array(fc.constantFrom('a', ' ', '\n', ':', '#', '-', "'", '"', '|', '>', '%', '&', 'é', '😀', '\\', '0'))
  .map((parts) => parts.join(''));
const target = line.filter((text) => !text.startsWith('$'));

const laterAnchor: fc.Arbitrary<Anchor> = fc.oneof(
  fc.record({ kind: fc.constantFrom('previous' as const, 'flip' as const), offsetMs: within(LIMITS.offsetMs) }),
  fc.constant<Anchor>({ kind: 'flip-hold' }),
);
const firstAnchor: fc.Arbitrary<Anchor> = fc.oneof(
  fc.constant<Anchor>({ kind: 'exposed' }),
  fc.record({ kind: fc.constantFrom('previous' as const, 'start' as const), offsetMs: within(LIMITS.offsetMs) }),
);

const on = fc.oneof(
  fc.constant({ scope: 'global' as const, target: '*' }),
  fc.record({
    scope: fc.constantFrom(...SCOPES.filter((scope) => scope !== 'global' && scope !== 'capability')),
    target,
  }),
  fc.record({
    scope: fc.constant('capability' as const),
    target: fc.constantFrom('model/chat', 'write/*', '$busiestCapability'),
  }),
  fc.constant({ scope: 'tenant' as const, target: '$busiest' }),
);
const flip = (when: fc.Arbitrary<Anchor>): fc.Arbitrary<FlipEntry> =>
  fc
    .record({ when, on, mode: fc.constantFrom(...STOP_MODES), reason: line })
    .map(({ when: at, on: { scope, target: name }, mode, reason }) => ({
      ...{ kind: 'flip', when: at, scope, target: name, mode, queue: 'discard', via: 'postgres', reason },
    }));
const forMs = fc.option(within(LIMITS.faultMs));
const fault: fc.Arbitrary<FaultEntry> = fc.oneof(
  fc.record({
    ...{ kind: fc.constant('fault' as const), when: laterAnchor, plane: fc.constant(null), forMs },
    ...{ fault: fc.constantFrom('kill' as const, 'pause' as const), target: fc.constantFrom('postgres', 'worker-1') },
  }),
  fc.record({
    ...{
      kind: fc.constant('fault' as const),
      when: laterAnchor,
      plane: fc.constantFrom('registry' as const, 'work' as const),
    },
    ...{ fault: fc.constant('cut' as const), target: fc.constant('worker-1'), forMs },
  }),
  fc.record({
    ...{ kind: fc.constant('fault' as const), when: laterAnchor, plane: fc.constant(null), forMs: fc.constant(null) },
    ...{ fault: fc.constant('restart' as const), target: fc.constant('postgres') },
  }),
);

/** A first flip, anything after it, and perhaps the release of the first flip. */
const timeline: fc.Arbitrary<readonly TimelineEntry[]> = fc
  .tuple(
    flip(firstAnchor),
    fc.array(fc.oneof(flip(laterAnchor), fault), { maxLength: 5 }),
    fc.option(fc.tuple(laterAnchor, line)),
  )
  .map(([first, more, release]) => {
    if (release === null) return [first, ...more];
    const [when, reason] = release;
    return [first, ...more, { kind: 'release', when, scope: first.scope, target: first.target, reason }];
  });

const rate = fc.integer({ min: 0, max: 5_000_000 }).map((thousandths) => thousandths / 1_000);

/** Any scenario that a file can say, with the properties `no_effect_after_stop` and `fails_closed` known. */
export const anyScenario: fc.Arbitrary<Scenario> = fc
  .record({
    version: fc.constant(1 as const),
    name: fc.stringMatching(/^[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}$/),
    description: prose,
    seed: within(LIMITS.seed),
    fleet: fc.record({
      workers: within(LIMITS.workers),
      agentsPerWorker: within(LIMITS.agentsPerWorker),
      leaseMs: within(LIMITS.leaseMs),
      command: fc.option(fc.array(line, { minLength: 1, maxLength: 4 })),
    }),
    traffic: fc.record({
      profile: fc.constant('production' as const),
      effectsPerSecond: rate,
      tenants: within(LIMITS.tenants),
    }),
    downstream: fc.record({ landsAfterAbort: fc.boolean() }),
    steadyState: fc.record({ forMs: within(LIMITS.steadyMs), effectsPerSecond: fc.record({ min: rate }) }),
    timeline,
    holdMs: within(LIMITS.holdMs),
    settleMs: within(LIMITS.settleMs),
    expect: fc.record({
      timeToStop: fc.record({ connectedMs: within(LIMITS.budgetMs), cutMs: within(LIMITS.budgetMs) }),
      effectsAfterBudget: within(LIMITS.effectsAfterBudget),
      properties: fc.constantFrom<'all' | readonly string[]>(
        'all',
        ['fails_closed'],
        ['no_effect_after_stop', 'fails_closed'],
      ),
    }),
  })
  .filter((scenario) => figureComplaints(scenario).length === 0);
