import { chainHash } from '../../../src/flip-chain.ts';
import { canonicalText } from '../../../src/flip-text.ts';
import type { Flip, Switch } from '../../../src/switch.ts';
import type { Scenario, TimelineEntry } from '../../../harness/scenario/scenario.ts';
import { CleanFleet, WORKERS } from './clean-fleet.ts';
import type { FleetOptions } from './clean-fleet.ts';
import { cleanRuns } from './clean-runs.ts';
import { AT } from './clean-times.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

export { AT } from './clean-times.ts';
export { intent } from './clean-fleet.ts';

export const STOP_ID = 'stop-1';
export const RELEASE_ID = 'release-1';
export const DRAIN_MS = 2_000;

export type CleanOptions = Partial<FleetOptions>;

const DEFAULTS: FleetOptions = {
  on: { scope: 'tenant', target: 'acme' },
  mode: 'halt_all',
  queue: 'discard',
  drainMs: DRAIN_MS,
  effectiveWithinMs: null,
  critical: { capabilities: [], classes: [] },
  isReleased: true,
  isResumed: false,
  outage: null,
};

/** A drill in which everything went as it should: two workers, three tenants, a stop of `tenant:acme` and its release. */
export function cleanDrill(given: CleanOptions = {}): DraftDrill {
  const options: FleetOptions = { ...DEFAULTS, ...given };
  const runs = cleanRuns(options.on);
  const fleet = new CleanFleet(options, runs);
  for (const run of runs) if (run.parent === undefined && run.probe === undefined) fleet.play(run);
  const isDrain = options.queue === 'drain' && options.mode !== 'halt_noncritical';
  for (const [nth, run] of runs.filter(({ probe }) => probe === true).entries())
    if (!isDrain) fleet.plant(run, AT.durable + 5 + nth);
  const timed = [...frame(), ...flips(options), ...said(options), ...fleet.timed, ...fleet.byes()];
  return { scenario: scenarioOf(options), runs, timed: [...timed, ...fleet.tasks.timed()], complete: true };
}

function frame(): readonly Timed[] {
  const workers = WORKERS.map((worker) => `worker-${worker}`);
  const drill = { scenario: 'tenant-halt', seed: 42, bootId: 'boot', originNs: '0', workers, environment: 'embedded' };
  const phases = [
    ['start', 0],
    ['traffic', AT.traffic],
    ['steady', AT.traffic],
    ['timeline', AT.traffic + 2_000],
    ['hold', AT.durable],
    ['settle', AT.released],
    ['drain', AT.drain],
    ['stopping', AT.drain + 300],
    ['end', AT.end],
  ] as const;
  return [
    { atMs: 0, body: { type: 'drill', ...drill } },
    ...phases.map(([phase, atMs]): Timed => ({ atMs, body: { type: 'phase', phase } })),
    ...WORKERS.flatMap((worker): readonly Timed[] => {
      const who = { worker: `worker-${worker}`, channel: worker };
      return [
        { atMs: 10, body: { type: 'worker.spawned', ...who, pid: 100 + worker } },
        { atMs: 50, body: { type: 'worker.ready', ...who, incarnation: `life-${worker}` } },
      ];
    }),
  ];
}

/** What workers and the operator say beside the flips. */
function said({ mode, isResumed }: FleetOptions): readonly Timed[] {
  const emergency = { event: 'emergency', revision: 1, snapshot: '/drill/snapshot.json', hooks: [] };
  const spoken = WORKERS.map((worker): Timed => {
    const who = { worker: `worker-${worker}`, channel: worker };
    return { atMs: AT.stop + 100 * worker, body: { type: 'worker.said', ...who, said: emergency } };
  });
  return [...(mode === 'emergency' ? spoken : []), ...(isResumed ? resumed() : [])];
}

/** The operator resumes everything that was discarded. */
export function resumed(staging: Readonly<Record<string, unknown>> = { kind: 'at-once' }): readonly Timed[] {
  const facts = { action: 1, kind: 'resume', which: { kind: 'all' }, staging } as const;
  return [
    { atMs: AT.resume, body: { type: 'operator.asked', ...facts } },
    {
      atMs: AT.resume,
      t1Ms: AT.resume + 8,
      body: { type: 'operator.answered', ...facts, ok: true, error: null, answer: {} },
    },
  ];
}

export function stopFlip(on: Switch, more: Partial<FleetOptions> = {}): Flip {
  const { mode = 'halt_all', queue = 'discard', drainMs = DRAIN_MS } = more;
  const policy = queue === 'drain' ? { queue, drainMs } : { queue };
  return { kind: 'stop', id: STOP_ID, ...on, mode, ...policy, ...SIGNED_BY };
}

export function releaseFlip(on: Switch): Flip {
  return { kind: 'release', id: RELEASE_ID, ...on, engagements: [STOP_ID], ...SIGNED_BY };
}

const SIGNED_BY = {
  namespace: 'drill',
  reason: 'drill',
  triggeredBy: 'drill',
  source: 'test',
  at: '2026-01-01T00:00:00Z',
};
export const EPOCH = 'epoch-1';

function flips({ on, mode, queue, isReleased, ...rest }: FleetOptions): readonly Timed[] {
  const common = { ...on, expected: 'taken' } as const;
  const stop = { flip: 1, kind: 'stop', ...common, mode, queue, engagements: [], id: STOP_ID } as const;
  const facts = { mode: null, queue: null, engagements: [STOP_ID], id: RELEASE_ID } as const;
  const release = { flip: 2, kind: 'release', ...common, ...facts } as const;
  const answered = { type: 'flip.answered', ok: true, error: null } as const;
  const stopped: readonly Timed[] = [
    { atMs: AT.stop, body: { type: 'flip.requested', ...stop } },
    { atMs: AT.stop + 1, t1Ms: AT.durable, body: { ...answered, ...stop, revision: 1 } },
  ];
  const released: readonly Timed[] = [
    { atMs: AT.release, body: { type: 'flip.requested', ...release } },
    { atMs: AT.release + 1, t1Ms: AT.released, body: { ...answered, ...release, revision: 2 } },
  ];
  const taken = [stopFlip(on, { mode, queue, ...rest }), ...(isReleased ? [releaseFlip(on)] : [])];
  return [...stopped, ...(isReleased ? released : []), ...storeRows(taken.map(canonicalText))];
}

/** When the store took the flips of a chain; those after the second one follow it closely. */
const TAKEN_AT = [AT.durable, AT.released] as const;

/** The store's rows for a chain of texts. */
export function storeRows(texts: readonly string[]): readonly Timed[] {
  let hash = '';
  const rows = texts.map((text, nth): Timed => {
    hash = chainHash(hash, EPOCH, nth + 1, text);
    const atMs = TAKEN_AT[nth] ?? AT.released + nth;
    return { atMs, body: { type: 'store.flip', revision: nth + 1, epoch: EPOCH, hash, text, signature: null } };
  });
  return [...rows, { atMs: 0, body: { type: 'store.head', epoch: EPOCH, revision: texts.length, hash } }];
}

function scenarioOf({
  on,
  mode,
  queue,
  drainMs,
  effectiveWithinMs,
  critical,
  isReleased,
  isResumed,
}: FleetOptions): Scenario {
  const stop: TimelineEntry = {
    kind: 'flip',
    when: { kind: 'exposed' },
    ...on,
    mode,
    queue,
    drainMs: queue === 'drain' ? drainMs : null,
    via: 'postgres',
    runawayPerSecond: null,
    wait: true,
    effectiveWithinMs,
    reason: 'drill',
  };
  const release: TimelineEntry = {
    kind: 'release',
    when: { kind: 'flip-hold' },
    ...on,
    expect: 'taken',
    via: 'postgres',
    reason: 'drill',
  };
  const resume: TimelineEntry = {
    kind: 'resume',
    when: { kind: 'previous', offsetMs: 400 },
    which: { kind: 'all' },
    staging: { kind: 'at-once' },
  };
  return {
    version: 1,
    name: 'tenant-halt',
    description: 'a drill of the tests',
    seed: 42,
    fleet: {
      ...{ workers: 2, agentsPerWorker: 8, executors: 0, detectors: null, leaseMs: 1_200 },
      ...{ command: null, levers: null, deafTools: [], critical, contract: null },
    },
    traffic: { kind: 'drawn', profile: 'production', effectsPerSecond: 125, tenants: 3 },
    downstream: { landsAfterAbort: false },
    steadyState: { forMs: 2_000, effectsPerSecond: { min: 50 } },
    timeline: [stop, ...(isReleased ? [release] : []), ...(isResumed ? [resume] : [])],
    holdMs: 6_000,
    settleMs: 5_000,
    expect: {
      timeToStop: { connectedMs: 600, cutMs: 2_000 },
      ...{ alertToStopMs: null, firstBadCallToStopMs: null, effectsAfterBudget: 0, properties: 'all' },
    },
  };
}
