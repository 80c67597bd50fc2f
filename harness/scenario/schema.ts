import { z } from 'zod';
import { commandSchema } from './command-schema.ts';
import { contractSchema } from './contract-schema.ts';
import { criticalSchema } from './critical-schema.ts';
import { detectorsSchema } from './detectors-schema.ts';
import { amount, count, duration, exactly, flag, list, map, text } from './leaf.ts';
import { leversSchema } from './levers-schema.ts';
import { LIMITS } from './limits.ts';
import { CAPABILITY, entrySchema } from './timeline-schema.ts';
import { trafficSchema } from './traffic-schema.ts';

const PROSE = /^[^\p{Cs}\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]*$/u;
const property = text(/^[a-z][a-z0-9_]*$/, { min: 1, max: 64 }, 'the name of a property', 'no_effect_after_stop');

const capability = text(
  CAPABILITY,
  { min: 1, max: LIMITS.targetLength },
  'a capability such as model/chat',
  'model/chat',
);

const fleet = map(
  {
    workers: count(LIMITS.workers, 4).describe('Worker processes, named worker-1, worker-2 and so on.'),
    agentsPerWorker: count(LIMITS.agentsPerWorker, 16).prefault(16),
    executors: count(LIMITS.executors, 1)
      .prefault(0)
      .describe('Processes that read alerts and trip switches, named executor-1, executor-2 and so on.'),
    detectors: detectorsSchema
      .optional()
      .describe('Detectors in every worker; their signed alerts are what a flip via: detector waits for.'),
    lease: duration(LIMITS.leaseMs, '1.2s').prefault('1.2s').describe('How long a worker may trust its registry.'),
    command: commandSchema
      .optional()
      .describe('Starts one worker (the fleet contract); without it, the simulated fleet.'),
    levers: leversSchema
      .optional()
      .describe('Of a fleet with a switch of its own: stops and releases pull it, and no store is there.'),
    deafTools: list(capability, LIMITS.deafTools, 'capabilities', '[model/chat]')
      .prefault([])
      .describe('Capabilities whose calls ignore their signal; of the simulated fleet only.'),
    critical: criticalSchema.prefault({}).describe('What passes a halt_noncritical; declared before the fleet starts.'),
  },
  '{ workers: 4 }',
);

const steadyState = map(
  {
    for: duration(LIMITS.steadyMs, '3s').prefault('3s').describe('From the start of traffic to the timeline.'),
    effectsPerSecond: map({ min: amount(LIMITS.effectsPerSecond, 100) }, '{ min: 100 }').optional(),
  },
  '{ for: 3s, effectsPerSecond: { min: 100 } }',
);

const expect = map(
  {
    timeToStop: map(
      {
        connected: duration(LIMITS.budgetMs, '600ms').prefault('600ms'),
        cut: duration(LIMITS.budgetMs, '2s').prefault('2s'),
      },
      '{ connected: 600ms, cut: 2s }',
    ).prefault({}),
    alertToStop: duration(LIMITS.budgetMs, '1s')
      .optional()
      .describe('From an alert’s publishing to the last exposed worker’s stop; without it, no bound.'),
    firstBadCallToStop: duration(LIMITS.budgetMs, '600ms')
      .optional()
      .describe('From a runaway’s first effect to the last exposed worker’s stop; without it, no bound.'),
    effectsAfterBudget: count(LIMITS.effectsAfterBudget, 0).prefault(0),
    properties: z
      .union(
        [z.literal('all'), list(property, { min: 1, max: LIMITS.properties }, 'names', '[no_effect_after_stop]')],
        {
          error: `all, or a list of names of properties\nwrite for example all`,
        },
      )
      .prefault('all'),
  },
  '{ properties: all }',
);

/** A scenario file: what it may say, with every bound and default (DESIGN §5). */
export const scenarioSchema = map(
  {
    version: exactly(1, '1'),
    name: text(
      /^[a-z0-9]+(?:-[a-z0-9]+)*$/,
      { min: 1, max: LIMITS.nameLength },
      'a name such as tenant-halt',
      'tenant-halt',
    ),
    description: text(
      PROSE,
      { min: 0, max: LIMITS.textLength },
      'text without tabs, what the drill would catch',
      'Halt one tenant.',
    ).prefault(''),
    seed: count(LIMITS.seed, 42).prefault(42),
    fleet,
    contract: contractSchema
      .optional()
      .describe('What the agents run, declared before the fleet starts; a release is red while it is unchanged.'),
    traffic: trafficSchema,
    downstream: map(
      { landsAfterAbort: flag().prefault(false).describe('Effects land although their caller hung up.') },
      '{ landsAfterAbort: true }',
    ).prefault({}),
    steadyState: steadyState.prefault({}),
    timeline: list(entrySchema, LIMITS.timelineEntries, 'entries', '[{ when: exposed, flip: … }]'),
    hold: duration(LIMITS.holdMs, '10s').prefault('10s').describe('How long the stop lasts: the moment flip+hold.'),
    settle: duration(LIMITS.settleMs, '5s').prefault('5s').describe('Traffic after the last entry.'),
    expect: expect.prefault({}),
  },
  'version, name, fleet, traffic and timeline',
);
export type ReadScenario = z.output<typeof scenarioSchema>;
