import { describe, expect, test } from 'vitest';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { ScenarioError } from '../../../harness/scenario/scenario-error.ts';
import type { ScenarioProblem } from '../../../harness/scenario/scenario-error.ts';
import { scenarioText, timelineText } from './scenario-text.ts';

const PROPERTIES = ['no_effect_after_stop', 'fails_closed'];

function problemsOf(text: string): readonly ScenarioProblem[] {
  try {
    parseScenario(text, 'x.yaml', PROPERTIES);
  } catch (error) {
    if (error instanceof ScenarioError) return error.problems;
    throw error;
  }
  return [];
}

/** `line:column found | expected | fix` of each problem. */
function told(text: string): readonly string[] {
  return problemsOf(text).map(
    ({ line, column, found, expected, fix }) => `${line}:${column} ${found} | ${expected} | ${fix}`,
  );
}

test('the smallest scenario gets every default', () => {
  expect(parseScenario(scenarioText(), 'x.yaml', PROPERTIES)).toEqual({
    version: 1,
    name: 'sample',
    description: '',
    seed: 42,
    fleet: {
      workers: 4,
      agentsPerWorker: 16,
      executors: 0,
      detectors: null,
      leaseMs: 1200,
      command: null,
      levers: null,
      deafTools: [],
      critical: { capabilities: [], classes: [] },
      contract: null,
    },
    traffic: { kind: 'drawn', profile: 'production', effectsPerSecond: 200, tenants: 20 },
    downstream: { landsAfterAbort: false },
    steadyState: { forMs: 3000, effectsPerSecond: { min: 100 } },
    timeline: [
      {
        ...{ kind: 'flip', when: { kind: 'exposed' }, scope: 'tenant', target: '$busiest', mode: 'halt_all' },
        ...{
          queue: 'discard',
          drainMs: null,
          via: 'postgres',
          runawayPerSecond: null,
          wait: true,
          effectiveWithinMs: null,
          reason: 'drill sample',
        },
      },
    ],
    holdMs: 10_000,
    settleMs: 5_000,
    expect: {
      timeToStop: { connectedMs: 600, cutMs: 2000 },
      ...{ alertToStopMs: null, firstBadCallToStopMs: null, effectsAfterBudget: 0, properties: 'all' },
    },
  });
});

test('each way of writing a moment has its meaning', () => {
  const fault = 'fault: { kind: kill, target: postgres, for: 1s }';
  const text = scenarioText({
    timeline: timelineText(
      `{ at: +1s, ${fault} }`,
      `{ at: flip+1.5s, ${fault} }`,
      `{ at: flip+hold, ${fault} }`,
      `{ at: 1m, ${fault} }`,
      `{ ${fault} }`,
    ),
  });
  expect(parseScenario(text, 'x.yaml', PROPERTIES).timeline.map(({ when }) => when)).toEqual([
    { kind: 'exposed' },
    { kind: 'previous', offsetMs: 1000 },
    { kind: 'flip', offsetMs: 1500 },
    { kind: 'flip-hold' },
    { kind: 'start', offsetMs: 60_000 },
    { kind: 'previous', offsetMs: 0 },
  ]);
});

describe('what is wrong is told with its place, what was found, what was expected, and how to mend it', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'an unknown key',
      scenarioText({ hodl: 'hodl: 10s' }),
      /^8:1 the unknown key 'hodl' \| one of the keys .*\| did you mean 'hold'\?$/,
    ],
    [
      'an unknown key within',
      scenarioText({ fleet: 'fleet: { workers: 4, laese: 1s }' }),
      /^3:22 .*'laese'.*did you mean 'lease'/,
    ],
    ['a key nobody meant', scenarioText({ x: '__proto__: { a: 1 }' }), /^8:1 the unknown key '__proto__'.*remove it/],
    [
      'a time without unit',
      scenarioText({ hold: 'hold: 10' }),
      /^8:7 10 \| a time from 0s to 10m, in ms, s or m \| add the unit: 10s or 10ms$/,
    ],
    ['a time in hours', scenarioText({ hold: 'hold: 1h' }), /^8:7 '1h' \| a time/],
    ['a time with a space', scenarioText({ hold: 'hold: 10 S' }), /write 10s$/],
    ['a negative time', scenarioText({ hold: 'hold: -10s' }), /cannot be negative/],
    ['a fraction of a millisecond', scenarioText({ hold: 'hold: 1.5ms' }), /write whole milliseconds/],
    ['an absurd time', scenarioText({ hold: 'hold: 11m' }), /^8:7 '11m' .*lower it to at most 10m/],
    [
      'a rate without unit',
      scenarioText({ traffic: 'traffic: { effects: 200 }' }),
      /^4:21 200 \| a rate .*add the unit: 200\/s/,
    ],
    ['a rate a minute', scenarioText({ traffic: 'traffic: { effects: 200/m }' }), /'200\/m' \| a rate/],
    ['an absurd rate', scenarioText({ traffic: 'traffic: { effects: 9999/s }' }), /lower it to at most 5000\/s/],
    [
      'a negative count',
      scenarioText({ fleet: 'fleet: { workers: -1 }' }),
      /^3:19 -1 \| a whole number from 1 to 64 \| raise it to at least 1$/,
    ],
    ['an absurd count', scenarioText({ fleet: 'fleet: { workers: 65 }' }), /lower it to at most 64/],
    ['a broken count', scenarioText({ fleet: 'fleet: { workers: 1.5 }' }), /1\.5 \| a whole number/],
    ['a count that is none', scenarioText({ fleet: 'fleet: { workers: .inf }' }), /Infinity \| a whole number/],
    ['a count in words', scenarioText({ fleet: 'fleet: { workers: four }' }), /'four' \| a whole number/],
    ['a duplicate key', scenarioText({ again: 'name: other' }), /^8:1 a key that is there already/],
    ['a tab', scenarioText({ fleet: 'fleet:\n\tworkers: 4' }), /^4:1 a tab \| spaces/],
    ['a tab after spaces', scenarioText({ fleet: 'fleet:\n  workers: 4\n  \tlease: 1s' }), /^5:3 a tab \| spaces/],
    ['broken YAML', scenarioText({ fleet: 'fleet: { workers: 4' }), /broken YAML/],
    ['a second document', `${scenarioText()}---\n${scenarioText()}`, /a second document/],
    ['an unknown version', scenarioText({ version: 'version: 2' }), /^1:10 2 \| 1 \| write 1$/],
    ['a missing key', scenarioText({ fleet: null }), /^1:1 nothing \| a map of workers.*\| add it, for example/],
    ['a missing key within', scenarioText({ fleet: 'fleet: { lease: 1s }' }), /^3:8 nothing \| a whole number.*add it/],
    ['an empty value', scenarioText({ fleet: 'fleet:' }), /^3:\d+ an empty value \| a map/],
    ['an empty file', '', /^1:1 an empty file/],
    ['a file of comments', '# nothing\n', /an empty file/],
    ['a list at the top', '- version: 1\n', /^1:1 a list of 1 \| a map/],
    ['a text at the top', 'halt everything\n', /'halt everything' \| a map/],
    ['a name with a path in it', scenarioText({ name: 'name: ../../etc' }), /^2:7 '\.\.\/\.\.\/etc' \| a name/],
    [
      'an unknown property',
      scenarioText({ expect: 'expect: { properties: [fails_close] }' }),
      /^8:24 'fails_close' \| one of .*did you mean 'fails_closed'/,
    ],
    [
      'a property twice',
      scenarioText({ expect: 'expect: { properties: [fails_closed, fails_closed] }' }),
      /^8:38 .*once more/,
    ],
    [
      'a property that is none',
      scenarioText({ expect: 'expect: { properties: [7] }' }),
      /^8:24 7 \| the name of a property/,
    ],
    ['no property', scenarioText({ expect: 'expect: { properties: [] }' }), /an empty list \| a list of 1/],
    ['properties in a word', scenarioText({ expect: 'expect: { properties: some }' }), /'some' \| all, or a list/],
    [
      'a steady state that cannot be',
      scenarioText({ steady: 'steadyState: { effectsPerSecond: { min: 300 } }' }),
      /^8:41 300 \| at most what traffic\.effects sends/,
    ],
    [
      'too large a drill',
      scenarioText({ traffic: 'traffic: { effects: 5000/s }', hold: 'hold: 5m' }),
      /^4:21 .* effects in a drill.*at most 500000/,
    ],
    ['a command without words', scenarioText({ fleet: 'fleet: { workers: 1, command: [] }' }), /an empty list/],
    [
      'a timeline without entries',
      scenarioText({ timeline: 'timeline: []' }),
      /^5:11 an empty list \| a list of 1 to 100 entries/,
    ],
    [
      'a timeline of a hundred and one',
      scenarioText({ timeline: timelineText(...Array.from({ length: 100 }, () => '{}')) }),
      /a list of 101/,
    ],
  ];
  test.each(cases)('%s', (_, text, expected) => {
    expect(told(text).join('\n')).toMatch(expected);
    expect(told(text)).toHaveLength(1);
  });
});

describe('a timeline that makes no sense is refused', () => {
  const kill = 'fault: { kind: kill, target: postgres, for: 1s }';
  const only = (entry: string): string => `timeline:\n  - ${entry}`;
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no flip', only(`{ at: 1s, ${kill} }`), /no flip \| at least one: a drill without a stop/],
    [
      'an entry that is nothing',
      timelineText('{ at: 1s }'),
      /^7:5 a map of at \| exactly one of the keys flip, release, resume, contract, compensate, alerts, forge, fault/,
    ],
    ['an entry that is two', timelineText(`{ ${kill}, release: { scope: global } }`), /both release and fault/],
    ['an entry that is a word', timelineText('stop'), /'stop' \| exactly one/],
    [
      'an unknown key in an entry',
      timelineText(`{ afer: 1s, ${kill} }`),
      /'afer'.*one of the keys when, at, after, fault.*did you mean 'after'/,
    ],
    ['at and when', only('{ at: 1s, when: exposed, flip: { scope: global, mode: halt_all } }'), /^6:15 at and when/],
    ['an unknown moment', timelineText(`{ at: later, ${kill} }`), /^7:11 'later' \| a moment/],
    ['a moment too late', timelineText(`{ at: +11m, ${kill} }`), /'\+11m' \| a moment up to 10m/],
    ['an unknown when', only('{ when: ready, flip: { scope: global, mode: halt_all } }'), /'ready' \| 'exposed'/],
    [
      'an unknown scope',
      only('{ flip: { scope: tennant, target: a, mode: halt_all } }'),
      /^6:22 'tennant' .*did you mean 'tenant'/,
    ],
    ['an unknown mode', only('{ flip: { scope: global, mode: halt } }'), /'halt' \| one of halt_noncritical/],
    [
      'an unknown queue policy',
      only('{ flip: { scope: global, mode: halt_all, queue: parc } }'),
      /'parc' \| one of discard, park, drain \| did you mean 'park'/,
    ],
    [
      'a drain without an end',
      only('{ flip: { scope: global, mode: halt_all, queue: drain } }'),
      /^6:13 nothing \| how long admitted work may pass \| add it, for example drainFor: 5s/,
    ],
    [
      'a time to drain without a drain',
      only('{ flip: { scope: global, mode: halt_all, queue: park, drainFor: 5s } }'),
      /^6:59 a time to drain with queue: park/,
    ],
    [
      'a drain for ever',
      only('{ flip: { scope: global, mode: halt_all, queue: drain, drainFor: 11m } }'),
      /'11m' \| a time from 1ms to 10m/,
    ],
    [
      'a drain in an emergency',
      only('{ flip: { scope: global, mode: emergency, queue: drain, drainFor: 5s } }'),
      /'drain' in mode emergency \| queue: discard or/,
    ],
    [
      'a count of nothing',
      timelineText(`{ after: 137 of $busiest, ${kill} }`),
      /^7:14 '137 of \$busiest' \| a count of effects/,
    ],
    ['no effect', timelineText(`{ after: effect 0 of $busiest, ${kill} }`), /from 1 to 500000/],
    [
      'effects of nobody',
      timelineText(`{ after: effect 7 of acme, ${kill} }`),
      /'effect 7 of acme' \| effect 7 of a switch/,
    ],
    [
      'effects of a misspelt scope',
      timelineText(`{ after: 'effect 7 of tennant:acme', ${kill} }`),
      /did you mean 'tenant'/,
    ],
    [
      'effects of an unknown selector',
      timelineText(`{ after: effect 7 of $busyest, ${kill} }`),
      /did you mean '\$busiest'/,
    ],
    [
      'effects of an unknown capability',
      timelineText(`{ after: 'effect 7 of capability:write/mial', ${kill} }`),
      /did you mean 'write\/mail'/,
    ],
    [
      'at and after',
      timelineText(`{ at: 1s, after: effect 7 of $busiest, ${kill} }`),
      /^7:15 at and after \| at most one/,
    ],
    [
      'more effects than there are',
      timelineText(`{ after: effect 500000 of global, ${kill} }`),
      /^7:14 effect 500000 \| at most \d+, which/,
    ],
    [
      'a resume of nothing',
      timelineText('{ resume: { rate: 5/s } }'),
      /^7:15 none of them \| exactly one of tenant, runs, all/,
    ],
    [
      'a resume of two things',
      timelineText('{ resume: { tenant: $busiest, all: true } }'),
      /^7:35 tenant and all \| exactly one of/,
    ],
    ['a resume of all but', timelineText('{ resume: { all: false } }'), /false \| true \| write true/],
    ['a resume of no run', timelineText('{ resume: { runs: [] } }'), /an empty list \| a list of 1 to 1000 runs/],
    ['a resume of a run twice', timelineText('{ resume: { runs: [a, a] } }'), /^7:27 'a' once more/],
    [
      'a resume by another selector',
      timelineText('{ resume: { runs: [$busiest] } }'),
      /'\$busiest' \| a target of scope run/,
    ],
    [
      'a resume in two stages',
      timelineText('{ resume: { all: true, rate: 5/s, tenantsEvery: 1s } }'),
      /^7:39 rate and tenantsEvery/,
    ],
    ['a resume at no rate', timelineText('{ resume: { all: true, rate: 0/s } }'), /raise it to at least 0\.1\/s/],
    [
      'a resume before the first stop',
      'timeline:\n  - resume: { all: true }\n  - flip: { scope: global, mode: halt_all }',
      /^6:13 a resume before the first stop/,
    ],
    [
      'a compensation before the first stop',
      'timeline:\n  - compensate: { scope: global, capability: write/mail }\n  - flip: { scope: global, mode: halt_all }',
      /^6:17 a compensation before the first stop/,
    ],
    [
      'a compensation by a pattern',
      timelineText('{ compensate: { scope: global, capability: write/* } }'),
      /'write\/\*' \| a capability such as/,
    ],
    [
      'a compensation of nobody',
      timelineText('{ compensate: { scope: tenant, capability: write/mail } }'),
      /nothing \| the name of the tenant/,
    ],
    ['a contract without a prompt', timelineText('{ contract: { model: m } }'), /nothing \| a prompt's version/],
    [
      'a release that is expected to be refused for nothing',
      timelineText('{ release: { scope: tenant, target: $busiest, expect: refused } }'),
      /^7:16 a release of tenant:\$busiest that is expected to be refused.*declare a contract/,
    ],
    [
      'an unknown expectation',
      timelineText('{ release: { scope: global, expect: refusd } }'),
      /did you mean 'refused'/,
    ],
    [
      'a path that there is not',
      only('{ flip: { scope: global, mode: halt_all, via: pager } }'),
      /'pager' \| one of postgres, alert, detector, file, api/,
    ],
    ['a global target', only('{ flip: { scope: global, target: acme, mode: halt_all } }'), /'acme' \| no target/],
    ['no target', only('{ flip: { scope: tenant, mode: halt_all } }'), /nothing \| the name of the tenant.*\$busiest/],
    [
      'an unknown selector',
      only('{ flip: { scope: tenant, target: $busyest, mode: halt_all } }'),
      /did you mean '\$busiest'/,
    ],
    [
      'an inherited selector',
      only('{ flip: { scope: tenant, target: $constructor, mode: halt_all } }'),
      /one of the selectors/,
    ],
    [
      'a selector of another scope',
      only('{ flip: { scope: run, target: $busiest, mode: halt_all } }'),
      /write scope: tenant/,
    ],
    [
      'an unknown capability',
      only('{ flip: { scope: capability, target: write/mial, mode: halt_all } }'),
      /did you mean 'write\/mail'/,
    ],
    [
      'a release of nothing',
      timelineText('{ release: { scope: tenant, target: acme } }'),
      /tenant:acme, which no entry before stops.*tenant:\$busiest/,
    ],
    [
      'a second release',
      timelineText(...Array(2).fill('{ release: { scope: tenant, target: $busiest } }')),
      /^8:16 a second release/,
    ],
    [
      'a release first',
      `timeline:\n  - release: { scope: global }\n  - flip: { scope: global, mode: halt_all }`,
      /^6:14 a release of global/,
    ],
    [
      'flip+ before a flip',
      `timeline:\n  - { at: flip+1s, ${kill} }\n  - flip: { scope: global, mode: halt_all }`,
      /^6:11 a time counted from the flip/,
    ],
    [
      'flip+ on the flip',
      only('{ at: flip+1s, flip: { scope: global, mode: halt_all } }'),
      /a time counted from the flip/,
    ],
    ['exposed after a flip', timelineText(`{ when: exposed, ${kill} }`), /'exposed' after a flip/],
    ['back in time', timelineText(`{ at: 20s, ${kill} }`, `{ at: 10s, ${kill} }`), /^8:11 10s \| at least 20s/],
    ['an unknown fault', timelineText('{ fault: { kind: burn, target: postgres } }'), /'burn' \| one of kill/],
    [
      'an unknown victim',
      timelineText('{ fault: { kind: kill, target: redis } }'),
      /'redis' \| postgres or kafka or api or worker-1 to worker-4/,
    ],
    [
      'a worker too many',
      timelineText('{ fault: { kind: kill, target: worker-5 } }'),
      /'worker-5' \| .*worker-4 \| name a worker/,
    ],
    ['worker 0', timelineText('{ fault: { kind: kill, target: worker-0 } }'), /'worker-0'/],
    [
      'a clock of postgres',
      timelineText('{ fault: { kind: clock, target: postgres, offset: 1s } }'),
      /clock of postgres/,
    ],
    [
      'a clock that nothing is done to',
      timelineText('{ fault: { kind: clock, target: worker-1 } }'),
      /nothing \| an offset, which a clock has to have \| add it, for example offset: -10m/,
    ],
    [
      'a clock that is off by nothing',
      timelineText('{ fault: { kind: clock, target: worker-1, offset: -0s } }'),
      /'-0s' \| a time other than nothing, up to 10000m either way/,
    ],
    [
      'a clock that is off by a number',
      timelineText('{ fault: { kind: clock, target: worker-1, offset: -5 } }'),
      /-5 \| a time other than nothing, .* \| add the unit: -5s or -5ms/,
    ],
    [
      'an offset of a kill',
      timelineText('{ fault: { kind: kill, target: worker-1, offset: 1s } }'),
      /an offset on a kill \| an offset on one of clock only/,
    ],
    [
      'a restart that lasts',
      timelineText('{ fault: { kind: restart, target: postgres, for: 1s } }'),
      /a time on a restart/,
    ],
    [
      'a cut of postgres',
      timelineText('{ fault: { kind: cut, target: postgres, plane: work } }'),
      /cut of postgres \| cut of api or worker-1/,
    ],
    ['a cut without a plane', timelineText('{ fault: { kind: cut, target: worker-1 } }'), /nothing \| the plane/],
    [
      'an unknown plane',
      timelineText('{ fault: { kind: cut, target: worker-1, plane: control } }'),
      /'control' of worker-1 \| a plane of a worker: registry, work, alerts/,
    ],
    [
      'a plane on a kill',
      timelineText('{ fault: { kind: kill, target: worker-1, plane: work } }'),
      /a plane on a kill/,
    ],
    [
      'a direction of a cut',
      timelineText('{ fault: { kind: cut, target: worker-1, plane: work, direction: to-server } }'),
      /a direction on a cut \| a direction on one of reset, half-open, latency, jitter, bandwidth only/,
    ],
    [
      'an unknown direction',
      timelineText('{ fault: { kind: reset, target: worker-1, plane: work, direction: up } }'),
      /'up' \| one of both, to-server, to-client/,
    ],
    [
      'a latency without a delay',
      timelineText('{ fault: { kind: latency, target: worker-1, plane: work } }'),
      /nothing \| a delay, which a latency has to have \| add it, for example delay: 200ms/,
    ],
    [
      'a latency without a plane',
      timelineText('{ fault: { kind: latency, target: worker-1, delay: 100ms } }'),
      /nothing \| the plane that a latency is on/,
    ],
    [
      'a latency that is longer than a proxy holds',
      timelineText('{ fault: { kind: latency, target: worker-1, plane: work, delay: 5m } }'),
      /'5m' \| a time from 1ms to 30s/,
    ],
    [
      'a bandwidth of a delay',
      timelineText('{ fault: { kind: bandwidth, target: worker-1, plane: work, delay: 1s, bytes: 9/s } }'),
      /a delay on a bandwidth \| a delay on one of latency, jitter only/,
    ],
    [
      'a bandwidth without a unit',
      timelineText('{ fault: { kind: bandwidth, target: worker-1, plane: work, bytes: 9000 } }'),
      /9000 \| a rate from .* \| add the unit: 9000\/s/,
    ],
    [
      'half-open postgres',
      timelineText('{ fault: { kind: half-open, target: postgres, plane: work } }'),
      /half-open of postgres \| half-open of api or worker-1/,
    ],
    [
      'a reason of two lines',
      only('{ flip: { scope: global, mode: halt_all, reason: "a\\nb" } }'),
      /a reason of one line/,
    ],
  ];
  test.each(cases)('%s', (_, timeline, expected) => {
    expect(told(scenarioText({ timeline })).join('\n')).toMatch(expected);
    expect(told(scenarioText({ timeline }))).toHaveLength(1);
  });
});

describe('alerts in a scenario', () => {
  const fleet = 'fleet: { workers: 4, executors: 2 }';
  const stop = (more: string): string => `{ flip: { scope: tenant, target: acme, mode: halt_all, via: alert${more} } }`;
  const release = '{ release: { scope: tenant, target: acme } }';

  test('may carry a stop, and come in storms', () => {
    const timeline = timelineText(
      stop(', queue: park'),
      '{ alerts: { count: 10, over: 2s } }',
      release,
      '{ alerts: { stale: 1 } }',
    );
    const { timeline: entries } = parseScenario(scenarioText({ fleet, timeline }), 'x.yaml', PROPERTIES);
    const none = { poison: 0, again: 0 };
    expect(entries[1]).toMatchObject({ kind: 'flip', via: 'alert', queue: 'park' });
    expect(entries[2]).toMatchObject({ kind: 'alerts', count: 10, targets: 1, ...none, stale: 0, overMs: 2_000 });
    expect(entries[4]).toMatchObject({ kind: 'alerts', count: 0, targets: 1, ...none, stale: 1, overMs: 0 });
  });

  test('need somebody who reads them, unless the fleet is the user’s own', () => {
    const timeline = timelineText(stop(''));
    expect(told(scenarioText({ timeline })).join()).toMatch(/fleet.executors: 0 \| an executor in the fleet/);
    const own = 'fleet: { workers: 4, command: [my-fleet] }';
    expect(told(scenarioText({ timeline, fleet: own }))).toEqual([]);
  });

  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no alert at all', timelineText('{ alerts: {} }'), /no alert at all \| at least one of count, poison and stale/],
    [
      'more repeats than alerts',
      timelineText('{ alerts: { count: 2, again: 3 } }'),
      /3 \| at most 2, the count of sound ones/,
    ],
    [
      'more targets than alerts',
      timelineText('{ alerts: { count: 2, targets: 3 } }'),
      /3 \| at most 2, the count of sound ones/,
    ],
    [
      'stale ones that nothing made stale',
      timelineText(stop(''), '{ alerts: { stale: 1 } }'),
      /that nothing made stale/,
    ],
    [
      'a time to wait for nothing',
      timelineText('{ flip: { scope: global, mode: halt_all, waitFor: 3s } }'),
      /waitFor with wait: effective only/,
    ],
    ['a drain that no executor can be told', timelineText(stop(', queue: drain, drainFor: 1s')), /'drain' via: alert/],
    [
      'two policies for the queue',
      timelineText(stop(''), stop(', queue: park')),
      /'park' \| 'discard', as in the alert before/,
    ],
    [
      'an executor too many',
      timelineText('{ fault: { kind: kill, target: executor-3 } }'),
      /'executor-3' \| .*executor-2 \| name an executor/,
    ],
    [
      'a plane of workers',
      timelineText('{ fault: { kind: cut, target: executor-1, plane: work } }'),
      /a plane of an executor: registry, alerts, control/,
    ],
    [
      'a plane that the API does not have',
      timelineText('{ fault: { kind: cut, target: api, plane: work } }'),
      /a plane of the API: registry, control/,
    ],
    [
      'a clock of an executor',
      timelineText('{ fault: { kind: clock, target: executor-1, offset: 1s } }'),
      /clock of executor-1 \| clock of worker-1/,
    ],
  ];
  test.each(cases)('are refused for %s', (_, timeline, expected) => {
    expect(told(scenarioText({ fleet, timeline })).join('\n')).toMatch(expected);
    expect(told(scenarioText({ fleet, timeline }))).toHaveLength(1);
  });
});

describe('the clock of a worker', () => {
  const timeline = timelineText('{ fault: { kind: clock, target: worker-1, offset: -90s } }');

  test('can be set off in the simulated fleet, either way', () => {
    const { timeline: entries } = parseScenario(scenarioText({ timeline }), 'x.yaml', PROPERTIES);
    expect(entries[1]).toMatchObject({
      kind: 'fault',
      fault: 'clock',
      target: 'worker-1',
      offsetMs: -90_000,
      forMs: null,
    });
  });

  test('cannot be set off in a fleet of any other command, and the scenario says so before anything is started', () => {
    const fleet = 'fleet: { workers: 4, command: [my-fleet] }';
    expect(told(scenarioText({ timeline, fleet }))).toEqual([
      "7:22 'clock' with fleet.command | the simulated fleet: the clock of a fleet with a command of its own cannot be set | remove it, or fleet.command",
    ]);
  });
});

describe('what a release may expect follows from the contracts', () => {
  const contract = 'contract: { model: m, prompt: p, tools: { b: "1", a: "2" } }';
  const release = (expect: string): string => `{ release: { scope: tenant, target: $busiest, expect: ${expect} } }`;
  const mended = '{ contract: { model: m, prompt: p2 } }';
  const same = '{ contract: { prompt: p, tools: { a: "2", b: "1" }, model: m } }';
  const sound: readonly (readonly [string, readonly string[]])[] = [
    ['red, then green', [release('refused'), mended, release('taken')]],
    ['green', [mended, release('taken')]],
    ['red after a declaration of the same', [same, release('refused')]],
  ];
  test.each(sound)('%s', (_, entries) => {
    expect(told(scenarioText({ contract, timeline: timelineText(...entries) }))).toEqual([]);
  });
  const unsound: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['red', [release('taken')], /while the contract is still that of its stop .*expect: refused/],
    ['red after a declaration of the same', [same, release('taken')], /still that of its stop/],
    ['green', [mended, release('refused')], /expected to be refused, though it is green/],
    [
      'red of two stops',
      [mended, '{ flip: { scope: tenant, target: $busiest, mode: halt_all } }', release('taken')],
      /still/,
    ],
  ];
  test.each(unsound)('not: %s', (_, entries, expected) => {
    const problems = told(scenarioText({ contract, timeline: timelineText(...entries) }));
    expect(problems.join('\n')).toMatch(expected);
    expect(problems).toHaveLength(1);
  });
  test('a contract that cannot be read is the only thing told', () => {
    const text = scenarioText({
      contract: 'contract: { model: 7, prompt: p }',
      timeline: timelineText(release('taken')),
    });
    expect(told(text)).toEqual([expect.stringMatching(/^8:20 7 \| the name of a model/)]);
  });
});

describe('what is critical is read in order, and told when it covers nothing', () => {
  const fleet = (critical: string): string => scenarioText({ fleet: `fleet: { workers: 1, critical: ${critical} }` });
  test('each class has its switches', () => {
    const text = fleet("{ capabilities: [read/*], classes: { z: ['feature:billing', $busiest], a: [global] } }");
    expect(parseScenario(text, 'x.yaml', PROPERTIES).fleet.critical).toEqual({
      capabilities: ['read/*'],
      classes: [
        { name: 'z', scope: 'feature', target: 'billing' },
        { name: 'z', scope: 'tenant', target: '$busiest' },
        { name: 'a', scope: 'global', target: '*' },
      ],
    });
  });
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['an unknown capability', '{ capabilities: [read/crn] }', /did you mean 'read\/crm'/],
    ['a name that is none', "{ classes: { 7up: ['tenant:a'] } }", /^3:45 '7up' \| the name of a class/],
    ['a class without switches', '{ classes: { money: [] } }', /an empty list \| a list of 1 to 100 switches/],
    ['a switch in words', '{ classes: { money: [billing] } }', /'billing' \| a switch such as tenant:acme/],
    ['a scope without a name', "{ classes: { money: ['feature:'] } }", /feature:NAME/],
    ['a selector of another scope', "{ classes: { money: ['feature:$busiest'] } }", /write scope: tenant/],
    ['classes in a list', "{ classes: ['tenant:a'] }", /a list of 1 \| a map of at most 100 classes/],
    ['an unknown key', '{ klasses: {} }', /did you mean 'classes'/],
  ];
  test.each(cases)('%s', (_, critical, expected) => {
    expect(told(fleet(critical)).join('\n')).toMatch(expected);
    expect(told(fleet(critical))).toHaveLength(1);
  });
});

test('each thing that an operator does has its defaults', () => {
  const text = scenarioText({
    timeline: timelineText(
      '{ after: effect 137 of $busiest, resume: { tenant: $busiest, rate: 50/s } }',
      "{ after: 'effect 2 of run:a b', resume: { runs: [$primedRun, x], tenantsEvery: 1s } }",
      '{ resume: { all: true } }',
      '{ contract: { model: m, prompt: p } }',
      '{ compensate: { scope: global, capability: write/mail } }',
      '{ flip: { scope: feature, target: $busiestFeature, mode: halt_all, queue: drain, drainFor: 2s } }',
    ),
  });
  const now = { kind: 'previous', offsetMs: 0 };
  expect(parseScenario(text, 'x.yaml', PROPERTIES).timeline.slice(1)).toEqual([
    {
      ...{ kind: 'resume', when: { kind: 'effect', count: 137, scope: 'tenant', target: '$busiest' } },
      ...{ which: { kind: 'tenant', tenant: '$busiest' }, staging: { kind: 'rate', tasksPerSecond: 50 } },
    },
    {
      ...{ kind: 'resume', when: { kind: 'effect', count: 2, scope: 'run', target: 'a b' } },
      ...{ which: { kind: 'runs', runs: ['$primedRun', 'x'] }, staging: { kind: 'tenants', everyMs: 1000 } },
    },
    { kind: 'resume', when: now, which: { kind: 'all' }, staging: { kind: 'at-once' } },
    { kind: 'contract', when: now, contract: { model: 'm', prompt: 'p', tools: {} } },
    {
      ...{ kind: 'compensate', when: now, scope: 'global', target: '*' },
      ...{ capability: 'write/mail', atMost: 10, twice: false },
    },
    {
      ...{ kind: 'flip', when: now, scope: 'feature', target: '$busiestFeature', mode: 'halt_all' },
      ...{
        queue: 'drain',
        drainMs: 2000,
        via: 'postgres',
        runawayPerSecond: null,
        wait: true,
        effectiveWithinMs: null,
        reason: 'drill sample',
      },
    },
  ]);
});

test('several things that are wrong are all told, in file order', () => {
  const text = scenarioText({
    version: 'version: 9',
    fleet: 'fleet: { workers: 0, agents: 3 }',
    timeline: timelineText('{ fault: { kind: cut, target: postgres } }', '{ at: soon, release: { scope: tenants } }'),
    name2: 'name: twice',
    expect: 'expect: { properties: [nonsense] }',
  });
  expect(problemsOf(text).map(({ line, where }) => `${line} ${where}`)).toEqual([
    '1 version',
    '3 fleet.workers',
    '3 fleet.agents',
    '7 timeline[1].fault.plane',
    '7 timeline[1].fault.target',
    '8 timeline[2].at',
    '8 timeline[2].release.scope',
    '9 ',
    '10 expect.properties[0]',
  ]);
});

test('each line of the message starts with file, line and column', () => {
  const text = scenarioText({ hold: 'hold: 10', settle: 'settle: 5' });
  expect(() => parseScenario(text, 'dir/x.yaml', PROPERTIES)).toThrow(
    /^dir\/x\.yaml:8:7: hold: found 10, expected a time .*\ndir\/x\.yaml:9:9: settle: found 5, /,
  );
});

describe('hostile text ends as a problem, soon', () => {
  const bomb = [
    'a: &a [x, x]',
    ...'bcdefghijk'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdefghijk'[i]},`.repeat(9)}]`),
  ];
  const cases: readonly (readonly [string, string])[] = [
    ['aliases of aliases', `${bomb.join('\n')}\n`],
    ['an alias of itself', scenarioText({ fleet: 'fleet: &f { workers: *f }' })],
    ['an alias of nothing', scenarioText({ fleet: 'fleet: *f' })],
    ['deep nesting', '['.repeat(30_000)],
    ['deep nesting that ends', '['.repeat(30_000) + ']'.repeat(30_000)],
    ['deep maps', '{a: '.repeat(10_000)],
    ['a huge file', `# ${'x'.repeat(100_000)}\n`],
    ['a map for a key', scenarioText({ x: '? { a: 1 }\n: 2' })],
    ['a merge key', scenarioText({ x: '<<: { hold: 1s }' })],
    ['a tag', scenarioText({ x: 'hold: !!binary aGFsdA==' })],
    ['bytes', '\u0000\u0001\u0002'],
  ];
  test.each(cases)('%s', (_, text) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    for (const { line, column } of problems) expect(Math.min(line, column)).toBeGreaterThan(0);
  });
});

test('a short alias is fine, and what is wrong in it is told where it stands', () => {
  const budget = 'steadyState: { for: &t 3s }\nhold: *t\nsettle: 4s';
  expect(parseScenario(scenarioText({ budget }), 'x.yaml', PROPERTIES).holdMs).toBe(3000);
  expect(told(scenarioText({ budget: 'steadyState: { for: &t 3q }' }))).toHaveLength(1);
});
