import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { DIRECTIONS } from '../../../harness/environment/proxy-fault.ts';
import type { CriticalRules, ResumeStaging, ResumeWhich, RunContract } from '../../../src/store/store.ts';
import { SCOPES, STOP_MODES } from '../../../src/switch.ts';
import type { Switch } from '../../../src/switch.ts';
import { figureComplaints } from '../../../harness/scenario/meaning.ts';
import { LIMITS } from '../../../harness/scenario/limits.ts';
import type { Range } from '../../../harness/scenario/limits.ts';
import type {
  AlertsEntry,
  Anchor,
  CompensateEntry,
  ContractEntry,
  DetectorsSpec,
  FaultEntry,
  FlipEntry,
  ForgeEntry,
  ReleaseEntry,
  ReleasePath,
  ResumeEntry,
  Scenario,
  TimelineEntry,
} from '../../../harness/scenario/scenario.ts';
import { RELEASE_PATHS } from '../../../harness/scenario/timeline-schema.ts';
import { LINE } from '../../../harness/scenario/line.ts';

const within = ({ min, max }: Range) => fc.integer({ min, max });
const line = fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }).filter((text) => LINE.test(text));
const prose = fc
  .array(fc.constantFrom('a', ' ', '\n', ':', '#', '-', "'", '"', '|', '>', '%', '&', 'é', '😀', '\\', '0'))
  .map((parts) => parts.join(''));
const target = line.filter((text) => !text.startsWith('$'));

const on: fc.Arbitrary<Switch> = fc.oneof(
  fc.constant({ scope: 'global' as const, target: '*' }),
  fc.record({
    scope: fc.constantFrom(...SCOPES.filter((scope) => scope !== 'global' && scope !== 'capability')),
    target,
  }),
  fc.record({
    scope: fc.constant('capability' as const),
    target: fc.constantFrom('model/chat', 'write/*', '$busiestCapability'),
  }),
  fc.constantFrom<Switch>(
    { scope: 'tenant', target: '$busiest' },
    { scope: 'feature', target: '$busiestFeature' },
    { scope: 'agent', target: '$busiestAgent' },
    { scope: 'run', target: '$primedRun' },
  ),
);

const effectAnchor: fc.Arbitrary<Anchor> = fc
  .record({ count: fc.integer({ min: 1, max: 1_000 }), at: on })
  .map(({ count, at }) => ({ kind: 'effect', count, ...at }));
const laterAnchor: fc.Arbitrary<Anchor> = fc.oneof(
  fc.record({ kind: fc.constantFrom('previous' as const, 'flip' as const), offsetMs: within(LIMITS.offsetMs) }),
  fc.constant<Anchor>({ kind: 'flip-hold' }),
  effectAnchor,
);
const firstAnchor: fc.Arbitrary<Anchor> = fc.oneof(
  fc.constant<Anchor>({ kind: 'exposed' }),
  fc.record({ kind: fc.constantFrom('previous' as const, 'start' as const), offsetMs: within(LIMITS.offsetMs) }),
  effectAnchor,
);

const policy: fc.Arbitrary<Pick<FlipEntry, 'mode' | 'queue' | 'drainMs'>> = fc.oneof(
  fc.record({
    mode: fc.constantFrom(...STOP_MODES),
    queue: fc.constantFrom('discard' as const, 'park' as const),
    drainMs: fc.constant(null),
  }),
  fc.record({
    mode: fc.constantFrom(...STOP_MODES.filter((mode) => mode !== 'emergency')),
    queue: fc.constant('drain' as const),
    drainMs: within(LIMITS.drainMs),
  }),
);
const flip = (when: fc.Arbitrary<Anchor>): fc.Arbitrary<FlipEntry> =>
  fc
    .record({
      ...{ when, at: on, policy, reason: line, waits: fc.option(within(LIMITS.effectiveMs)) },
      ...{ by: fc.constantFrom('postgres', 'alert', 'api'), wait: fc.boolean() },
    } as const)
    .map(({ when: moment, at, policy: how, reason, by, wait, waits }) => {
      // Executors are told one policy for all.
      const via = by === 'alert' && how.queue !== 'park' ? 'postgres' : by;
      const until = { wait: wait || waits !== null, effectiveWithinMs: waits };
      return { kind: 'flip', when: moment, ...at, ...how, via, runawayPerSecond: null, ...until, reason };
    });

const alerts: fc.Arbitrary<AlertsEntry> = fc
  .record({
    ...{ when: laterAnchor, count: fc.integer({ min: 1, max: LIMITS.alerts.max }), poison: within(LIMITS.alerts) },
    overMs: fc.oneof(fc.constant(0), within(LIMITS.alertsOverMs)),
  })
  .chain(({ count, ...rest }) =>
    fc
      .record({
        targets: fc.integer({ min: 1, max: Math.min(count, LIMITS.alertTargets.max) }),
        again: fc.integer({ min: 0, max: count }),
      })
      .map(({ targets, again }): AlertsEntry => ({ kind: 'alerts', count, targets, again, stale: 0, ...rest })),
  );

const version = line.filter((text) => text.length <= 40);
// Contracts are compared, and an object without a prototype is another one.
const contract: fc.Arbitrary<RunContract> = fc.record(
  {
    model: fc.oneof(fc.constantFrom('a', 'b'), version),
    prompt: fc.oneof(fc.constantFrom('a', 'b'), version),
    tools: fc.dictionary(fc.stringMatching(/^[A-Za-z][\w./-]{0,10}$/), version, { maxKeys: 3, noNullPrototype: true }),
  },
  { noNullPrototype: true },
);
const mend: fc.Arbitrary<ContractEntry> = fc.record({
  kind: fc.constant('contract' as const),
  when: laterAnchor,
  contract,
});

const which: fc.Arbitrary<ResumeWhich> = fc.oneof(
  fc.constant<ResumeWhich>({ kind: 'all' }),
  fc.record({ kind: fc.constant('tenant' as const), tenant: fc.oneof(target, fc.constant('$busiest')) }),
  fc.record({
    kind: fc.constant('runs' as const),
    runs: fc.uniqueArray(fc.oneof(target, fc.constant('$primedRun')), { minLength: 1, maxLength: 3 }),
  }),
);
const staging: fc.Arbitrary<ResumeStaging> = fc.oneof(
  fc.constant<ResumeStaging>({ kind: 'at-once' }),
  fc.record({
    kind: fc.constant('rate' as const),
    tasksPerSecond: fc.integer({ min: 100, max: 10_000_000 }).map((thousandths) => thousandths / 1_000),
  }),
  fc.record({ kind: fc.constant('tenants' as const), everyMs: within(LIMITS.tenantsEveryMs) }),
);
const resume: fc.Arbitrary<ResumeEntry> = fc.record({
  kind: fc.constant('resume' as const),
  when: laterAnchor,
  which,
  staging,
});
const forge: fc.Arbitrary<ForgeEntry> = fc
  .record({ when: laterAnchor, at: on })
  .map(({ when, at }) => ({ kind: 'forge', when, ...at }));
const compensate: fc.Arbitrary<CompensateEntry> = fc
  .record({
    at: on,
    when: laterAnchor,
    capability: fc.constantFrom('write/mail', 'undo/anything'),
    atMost: within(LIMITS.compensations),
    twice: fc.boolean(),
  })
  .map(({ at, ...rest }) => ({ kind: 'compensate', ...at, ...rest }));

const forMs = fc.option(within(LIMITS.faultMs));
const onPlane = {
  kind: fc.constant('fault' as const),
  when: laterAnchor,
  target: fc.constant('worker-1'),
  plane: fc.constantFrom('registry' as const, 'work' as const),
  direction: fc.constantFrom(...DIRECTIONS),
  delayMs: fc.constant(null),
  bytesPerSecond: fc.constant(null),
  offsetMs: fc.constant(null),
  forMs,
};
const ON_NO_PLANE = {
  plane: fc.constant(null),
  direction: fc.constant(null),
  delayMs: fc.constant(null),
  bytesPerSecond: fc.constant(null),
  offsetMs: fc.constant(null),
};
const fault: fc.Arbitrary<FaultEntry> = fc.oneof(
  fc.record({
    ...{ kind: fc.constant('fault' as const), when: laterAnchor, ...ON_NO_PLANE, forMs },
    ...{
      fault: fc.constantFrom('kill' as const, 'pause' as const),
      target: fc.constantFrom('postgres', 'worker-1', 'api'),
    },
  }),
  fc.record({ ...onPlane, fault: fc.constant('cut' as const), direction: fc.constant(null) }),
  fc.record({ ...onPlane, fault: fc.constantFrom('reset' as const, 'half-open' as const) }),
  fc.record({
    ...onPlane,
    fault: fc.constantFrom('latency' as const, 'jitter' as const),
    delayMs: within(LIMITS.faultDelayMs),
  }),
  fc.record({
    ...onPlane,
    fault: fc.constant('bandwidth' as const),
    bytesPerSecond: within(LIMITS.faultBytesPerSecond),
  }),
  fc.record({
    ...{ kind: fc.constant('fault' as const), when: laterAnchor, ...ON_NO_PLANE, forMs: fc.constant(null) },
    ...{ fault: fc.constant('restart' as const), target: fc.constantFrom('postgres', 'worker-1') },
  }),
  fc.record({
    ...{ kind: fc.constant('fault' as const), when: laterAnchor, ...ON_NO_PLANE, forMs },
    ...{ fault: fc.constant('clock' as const), target: fc.constant('worker-1') },
    offsetMs: fc.oneof(
      within(LIMITS.faultOffsetMs),
      within(LIMITS.faultOffsetMs).map((ms) => -ms),
    ),
  }),
);

/** A first flip, anything after it, and perhaps the release of the first flip, as the contracts let one expect it. */
const timeline = (start: RunContract | null): fc.Arbitrary<readonly TimelineEntry[]> =>
  fc
    .tuple(
      flip(firstAnchor),
      fc.array(fc.oneof(flip(laterAnchor), fault, mend, resume, compensate, forge, alerts), { maxLength: 5 }),
      fc.option(fc.tuple(laterAnchor, line, fc.constantFrom(...RELEASE_PATHS))),
    )
    .map(([first, more, release]) => {
      const entries = [first, ...more];
      return release === null ? entries : [...entries, releaseOf(first, entries, start, release)];
    });

function releaseOf(
  { scope, target: name }: FlipEntry,
  entries: readonly TimelineEntry[],
  start: RunContract | null,
  [when, reason, via]: readonly [Anchor, string, ReleasePath],
): ReleaseEntry {
  let now = start;
  const atStops: (RunContract | null)[] = [];
  for (const entry of entries) {
    if (entry.kind === 'contract') now = entry.contract;
    if (entry.kind === 'flip' && entry.scope === scope && entry.target === name) atStops.push(now);
  }
  const isRed = now !== null && atStops.some((one) => isDeepStrictEqual(one, now));
  return { kind: 'release', when, scope, target: name, expect: isRed ? 'refused' : 'taken', via, reason };
}

const critical: fc.Arbitrary<CriticalRules> = fc
  .record({
    capabilities: fc.array(fc.constantFrom('model/chat', 'write/*', '$no'), { maxLength: 2 }),
    classes: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_-]{0,10}$/), fc.array(on, { minLength: 1, maxLength: 3 }), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  })
  .map(({ capabilities, classes }) => ({
    capabilities: capabilities.filter((name) => name !== '$no'),
    classes: Object.entries(classes).flatMap(([name, switches]) => switches.map((one) => ({ name, ...one }))),
  }));

/** Quick ones are red by ordinary traffic, which a file may not say. */
const detectors: fc.Arbitrary<DetectorsSpec> = fc.record({
  writeRate: fc.record({
    per: fc.constantFrom('tenant' as const, 'agent' as const),
    perSecond: fc.integer({ min: 1_000, max: LIMITS.detectorPerSecond.max }),
    windowMs: within(LIMITS.detectorWindowMs),
  }),
});

const rate = fc.integer({ min: 0, max: 5_000_000 }).map((thousandths) => thousandths / 1_000);

const isClock = (entry: TimelineEntry): boolean => entry.kind === 'fault' && entry.fault === 'clock';

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
      executors: within({ ...LIMITS.executors, min: 1 }),
      detectors: fc.option(detectors),
      leaseMs: within(LIMITS.leaseMs),
      command: fc.option(fc.array(line, { minLength: 1, maxLength: 4 })),
      levers: fc.constant(null),
      deafTools: fc.array(fc.constantFrom('model/chat', 'write/crm'), { maxLength: 2 }),
      critical,
      contract: fc.option(contract),
    }),
    traffic: fc.record({
      kind: fc.constant('drawn' as const),
      profile: fc.constant('production' as const),
      effectsPerSecond: rate,
      tenants: within(LIMITS.tenants),
    }),
    downstream: fc.record({ landsAfterAbort: fc.boolean() }),
    steadyState: fc.record({ forMs: within(LIMITS.steadyMs), effectsPerSecond: fc.record({ min: rate }) }),
    holdMs: within(LIMITS.holdMs),
    settleMs: within(LIMITS.settleMs),
    expect: fc.record({
      timeToStop: fc.record({ connectedMs: within(LIMITS.budgetMs), cutMs: within(LIMITS.budgetMs) }),
      alertToStopMs: fc.option(within(LIMITS.budgetMs)),
      firstBadCallToStopMs: fc.option(within(LIMITS.budgetMs)),
      effectsAfterBudget: within(LIMITS.effectsAfterBudget),
      properties: fc.constantFrom<'all' | readonly string[]>(
        'all',
        ['fails_closed'],
        ['no_effect_after_stop', 'fails_closed'],
      ),
    }),
  })
  // Only the simulated fleet can be told to be deaf.
  .map((scenario) =>
    scenario.fleet.command === null ? scenario : { ...scenario, fleet: { ...scenario.fleet, deafTools: [] } },
  )
  .chain((scenario) =>
    timeline(scenario.fleet.contract).map((entries): Scenario => ({ ...scenario, timeline: entries })),
  )
  .filter((scenario) => figureComplaints(scenario).length === 0)
  .filter(({ fleet, timeline: entries }) => fleet.command === null || !entries.some(isClock));
