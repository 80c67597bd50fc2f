import { z } from 'zod';
import { QUEUE_POLICIES, SCOPES, STOP_MODES } from '../../src/switch.ts';
import { DIRECTIONS } from '../environment/proxy-fault.ts';
import { contractSchema } from './contract-schema.ts';
import { count, duration, exactly, flag, list, map, offset, oneOf, rate, text } from './leaf.ts';
import { LIMITS } from './limits.ts';
import { LINE } from './line.ts';
import { momentShape } from './moment-schema.ts';

export const PLANE_FAULT_KINDS = ['cut', 'reset', 'half-open', 'latency', 'jitter', 'bandwidth'] as const;
export const FAULT_KINDS = ['kill', 'pause', 'restart', 'clock', 'tear', 'remove', ...PLANE_FAULT_KINDS] as const;
export const PLANES = ['registry', 'work', 'alerts', 'control'] as const;
export const STOP_PATHS = ['postgres', 'alert', 'detector', 'file', 'api'] as const;
export const RELEASE_PATHS = ['postgres', 'api'] as const;

/** What a capability is written as. */
export const CAPABILITY = /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/;

const target = text(LINE, { min: 1, max: LIMITS.targetLength }, 'the name of a target, or a selector', 'acme');
const reason = text(LINE, { min: 1, max: LIMITS.textLength }, 'a reason of one line', 'write-rate anomaly');
const scoped = { scope: oneOf(SCOPES), target: target.optional() } as const;

const flip = map(
  {
    scope: scoped.scope,
    target: scoped.target.describe('Absent or * for global; a name, or a selector such as $busiest.'),
    mode: oneOf(STOP_MODES),
    queue: oneOf(QUEUE_POLICIES)
      .prefault('discard')
      .describe('What becomes of queued work in scope; a halt_noncritical parks, whatever this says.'),
    drainFor: duration(LIMITS.drainMs, '5s').optional().describe('With queue: drain, how long admitted work may pass.'),
    via: oneOf(STOP_PATHS)
      .prefault('postgres')
      .describe(
        'The path by which the stop is taken: put into the store, as an alert of the drill’s for an executor, by nobody (detector: the fleet’s own detectors have to notice a runaway), beside the state file that the fleet watches, or over the control API.',
      ),
    runaway: rate(LIMITS.detectorPerSecond, '400/s')
      .optional()
      .describe(
        'With via: detector, how many writes a second of the target are let loose over the whole fleet: about so many on a busy machine, more on a quiet one.',
      ),
    wait: oneOf(['durable', 'effective', 'nothing'])
      .prefault('durable')
      .describe(
        'effective: the timeline goes on once an observer calls the stop effective. nothing: it does not wait for the answer, and what comes next may come in the middle of it.',
      ),
    waitFor: duration(LIMITS.effectiveMs, '10s')
      .optional()
      .describe('With wait: effective, how long at most; without it, 30s.'),
    reason: reason.optional(),
  },
  '{ scope: tenant, target: $busiest, mode: halt_all }',
);

const release = map(
  {
    ...scoped,
    expect: oneOf(['taken', 'refused']).prefault('taken').describe('refused: it is red, and the stop goes on.'),
    via: oneOf(RELEASE_PATHS).prefault('postgres').describe('Put into the store, or asked for over the API.'),
    reason: reason.optional(),
  },
  '{ scope: tenant, target: $busiest }',
);

const run = text(LINE, { min: 1, max: LIMITS.targetLength }, "a run's id, or $primedRun", '$primedRun');
const resume = map(
  {
    tenant: target.optional().describe('Brings back what was discarded of one tenant.'),
    runs: list(run, LIMITS.resumedRuns, 'runs', '[$primedRun]').optional().describe('Or of these runs.'),
    all: exactly(true, 'true').optional().describe('Or all that was discarded.'),
    rate: rate(LIMITS.resumedPerSecond, '50/s').optional().describe('So many tasks a second; without it, all at once.'),
    tenantsEvery: duration(LIMITS.tenantsEveryMs, '1s').optional().describe('Or one tenant after another.'),
  },
  '{ tenant: $busiest, rate: 50/s }',
);

const compensate = map(
  {
    ...scoped,
    capability: text(CAPABILITY, { min: 1, max: LIMITS.targetLength }, 'a capability such as write/mail', 'write/mail'),
    atMost: count(LIMITS.compensations, 10).prefault(10).describe('So many effects that landed, the newest first.'),
    twice: flag().prefault(false).describe('Asks for each a second time: nothing may be sent then.'),
  },
  '{ scope: tenant, target: $busiest, capability: write/mail }',
);

const alerts = map(
  {
    count: count(LIMITS.alerts, 100).prefault(0).describe('Sound alerts, each with an id of its own…'),
    targets: count(LIMITS.alertTargets, 20)
      .prefault(1)
      .describe('…over so many agents that the traffic does not have.'),
    poison: count(LIMITS.alerts, 5).prefault(0).describe('Among them, unreadable and forged ones.'),
    again: count(LIMITS.alerts, 5).prefault(0).describe('Of the sound ones, how many come twice.'),
    stale: count(LIMITS.alerts, 3)
      .prefault(0)
      .describe(
        'Alerts on the last switch that an alert stopped and a release opened, by a detector that had not seen it.',
      ),
    over: duration(LIMITS.alertsOverMs, '1s').optional().describe('How long publishing takes; without it, at once.'),
  },
  '{ count: 100, targets: 20, poison: 5 }',
);

const forge = map(scoped, '{ scope: capability, target: write/mail }');

const fault = map(
  {
    kind: oneOf(FAULT_KINDS),
    target: text(
      LINE,
      { min: 1, max: LIMITS.nameLength },
      'postgres, kafka, state-file, api, a worker such as worker-1, or an executor',
      'postgres',
    ),
    plane: oneOf(PLANES)
      .optional()
      .describe(
        'Of a fault on connections: a worker’s registry, work or (with detectors) alerts, an executor’s registry, alerts or control, the API’s registry or control.',
      ),
    direction: oneOf(DIRECTIONS)
      .optional()
      .describe('Which way bytes are hit, of all but a cut: both, unless it says one way only.'),
    delay: duration(LIMITS.faultDelayMs, '200ms')
      .optional()
      .describe('Of a latency: how much later every byte comes. Of a jitter: at most so much, drawn from the seed.'),
    bytes: rate(LIMITS.faultBytesPerSecond, '50000/s')
      .optional()
      .describe('Of a bandwidth: so many bytes a second, each connection and each way by itself.'),
    offset: offset(LIMITS.faultOffsetMs, '-10m')
      .optional()
      .describe('Of a clock: so much is added to what its wall clock says; it may be negative.'),
    for: duration(LIMITS.faultMs, '3s').optional().describe('Without it, the fault lasts until the end of the drill.'),
  },
  '{ kind: kill, target: postgres, for: 3s }',
);

const EXAMPLE = '{ at: +1s, fault: { kind: kill, target: postgres, for: 3s } }';

/** The kinds of timeline entries, by the key that makes them one. */
export const ENTRY_SCHEMAS = {
  flip: map({ ...momentShape, flip }, EXAMPLE),
  release: map({ ...momentShape, release }, EXAMPLE),
  resume: map({ ...momentShape, resume }, EXAMPLE),
  contract: map({ ...momentShape, contract: contractSchema }, EXAMPLE),
  compensate: map({ ...momentShape, compensate }, EXAMPLE),
  alerts: map({ ...momentShape, alerts }, EXAMPLE),
  forge: map({ ...momentShape, forge }, EXAMPLE),
  fault: map({ ...momentShape, fault }, EXAMPLE),
} as const;
export const ENTRY_KEYS = ['flip', 'release', 'resume', 'contract', 'compensate', 'alerts', 'forge', 'fault'] as const;

/** One entry of the timeline: something that the operator or a fault does, and when. */
export const entrySchema = z.union([
  ENTRY_SCHEMAS.flip,
  ENTRY_SCHEMAS.release,
  ENTRY_SCHEMAS.resume,
  ENTRY_SCHEMAS.contract,
  ENTRY_SCHEMAS.compensate,
  ENTRY_SCHEMAS.alerts,
  ENTRY_SCHEMAS.forge,
  ENTRY_SCHEMAS.fault,
]);
export type ReadEntry = z.output<typeof entrySchema>;
