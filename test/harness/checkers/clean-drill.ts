import { chainHash } from '../../../src/flip-chain.ts';
import { canonicalText } from '../../../src/flip-text.ts';
import { switchMatches } from '../../../src/switch.ts';
import type { Flip, Switch } from '../../../src/switch.ts';
import type { Scenario, TimelineEntry } from '../../../harness/scenario/scenario.ts';
import type { TraceRun } from '../../../harness/traffic/trace.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

/** Instants of the clean drill, milliseconds since its origin. */
export const AT = {
  traffic: 100,
  stop: 3_100,
  durable: 3_105,
  release: 9_100,
  released: 9_105,
  drain: 14_100,
  end: 14_600,
} as const;
export const STOP_ID = 'stop-1';
export const RELEASE_ID = 'release-1';
export const HELD_MS = 20_000;

interface CleanOptions {
  readonly on?: Switch;
  /** Nothing is admitted or dispatched in it, by anybody. */
  readonly outage?: { readonly fromMs: number; readonly toMs: number };
  readonly isReleased?: boolean;
}

const WORKERS = [1, 2] as const;
const TENANTS = ['acme', 'beta', 'gamma'] as const;
const CAPABILITIES = ['model/chat', 'read/crm', 'write/mail'] as const;

/** A drill in which everything went as it should: two workers, three tenants, a stop of `tenant:acme` and its release. */
export function cleanDrill(options: CleanOptions = {}): DraftDrill {
  const on = options.on ?? { scope: 'tenant', target: 'acme' };
  const isReleased = options.isReleased ?? true;
  const runs = [...primedRuns(on), ...trafficRuns()].toSorted((one, other) => one.dueMs - other.dueMs);
  const fleet = new Fleet(on, options.outage ?? null, isReleased);
  for (const run of runs) fleet.play(run);
  const timed = [...frame(), ...flips(on, isReleased), ...fleet.timed, ...fleet.byes()];
  return { scenario: scenarioOf(on, isReleased), runs, timed, complete: true };
}

function plan(nth: number): TraceRun['plan'] {
  return CAPABILITIES.slice(0, 2 + (nth % 2)).map((capability) => ({
    capability,
    access: capability === 'write/mail' ? 'write' : 'read',
    journal: capability !== 'read/crm',
    serviceMs: 10,
    deadlineMs: 1_000,
  }));
}

function trafficRuns(): readonly TraceRun[] {
  return Array.from({ length: 700 }, (_, nth) => ({
    dueMs: nth * 20,
    run: `run-${nth}`,
    tenant: TENANTS[nth % 3] ?? 'acme',
    feature: nth % 2 === 0 ? 'assist' : 'triage',
    agent: `agent-${nth % 8}`,
    plan: plan(nth),
  }));
}

/** One long held call in scope on each worker; for a stopped run, on the one that has it. */
function primedRuns(on: Switch): readonly TraceRun[] {
  const capability = on.scope === 'capability' ? on.target : 'model/chat';
  const step = { capability, access: 'read', journal: true, serviceMs: HELD_MS, deadlineMs: HELD_MS } as const;
  const workers = on.scope === 'run' ? [1] : WORKERS;
  return workers.map((worker) => ({
    dueMs: 2_500,
    run: on.scope === 'run' ? on.target : `primed-${worker}`,
    tenant: 'acme',
    feature: 'assist',
    agent: `agent-${worker}`,
    primed: true,
    plan: [step, ...plan(1)],
  }));
}

/** Plays runs as a fleet without a fault would, and keeps both accounts. */
class Fleet {
  readonly timed: Timed[] = [];
  readonly #on: Switch;
  readonly #outage: { readonly fromMs: number; readonly toMs: number } | null;
  readonly #isReleased: boolean;
  readonly #counts = new Map<number, { effects: number; intents: number }>();
  #effects = 0;
  #handed = 0;

  constructor(on: Switch, outage: { readonly fromMs: number; readonly toMs: number } | null, isReleased: boolean) {
    this.#on = on;
    this.#outage = outage;
    this.#isReleased = isReleased;
  }

  play(run: TraceRun): void {
    const worker = (this.#handed % 2) + 1;
    this.#handed += 1;
    let atMs = AT.traffic + run.dueMs;
    this.timed.push({ atMs, body: { type: 'run.due', run: run.run } });
    this.timed.push({
      atMs: atMs + 1,
      body: { type: 'run.handed', run: run.run, worker: `worker-${worker}`, channel: worker },
    });
    for (const [step, { serviceMs }] of run.plan.entries()) {
      atMs += 2;
      if (this.#refuses(run, step, atMs)) return;
      const isCut = this.#cuts(run, step, atMs, serviceMs);
      this.#call(run, step, worker, atMs, isCut);
      if (isCut) return;
      atMs += serviceMs;
    }
  }

  byes(): readonly Timed[] {
    return WORKERS.flatMap((worker): readonly Timed[] => {
      const counts = this.#counts.get(worker) ?? { effects: 0, intents: 0 };
      const who = { worker: `worker-${worker}`, channel: worker };
      return [
        { atMs: AT.end - 20, body: { type: 'worker.said', ...who, said: { event: 'bye', ...counts } } },
        { atMs: AT.end - 10, body: { type: 'worker.exited', ...who, code: 0, signal: null, expected: true } },
      ];
    });
  }

  #refuses(run: TraceRun, step: number, atMs: number): boolean {
    const away = this.#outage !== null && atMs >= this.#outage.fromMs && atMs <= this.#outage.toMs;
    const stopped = atMs >= AT.stop && (!this.#isReleased || atMs <= AT.released);
    return away || (stopped && this.#covers(run, step));
  }

  #cuts(run: TraceRun, step: number, atMs: number, serviceMs: number): boolean {
    return atMs < AT.stop && atMs + serviceMs > AT.stop && this.#covers(run, step);
  }

  #covers(run: TraceRun, step: number): boolean {
    const { tenant, feature, agent } = run;
    const capability = run.plan[step]?.capability ?? null;
    return switchMatches(this.#on, { tenant, feature, agent, run: run.run, lineage: [], capability });
  }

  #call(run: TraceRun, step: number, worker: number, atMs: number, isCut: boolean): void {
    const planned = run.plan[step];
    if (planned === undefined) return;
    this.#effects += 1;
    const counts = this.#counts.get(worker) ?? { effects: 0, intents: 0 };
    counts.effects += 1;
    this.#counts.set(worker, counts);
    const { capability } = planned;
    const what = { run: run.run, capability, key: `key-${step}` };
    const who = { channel: worker, worker: `worker-${worker}` };
    this.timed.push({
      atMs,
      body: { type: 'effect.arrived', effect: this.#effects, ...who, ...what, step, repeat: false },
    });
    const end: Timed = isCut
      ? { atMs: AT.stop + 15, body: { type: 'effect.closed', effect: this.#effects, by: 'worker' } }
      : { atMs: atMs + planned.serviceMs, body: { type: 'effect.landed', effect: this.#effects } };
    this.timed.push(end);
    if (!planned.journal) return;
    counts.intents += 1;
    this.timed.push(intent({ worker, run, step, atMs, outcome: isCut ? 'unknown' : 'landed' }));
  }
}

/** The journal's row for one planned step, placed by the clean drill's flips. */
export function intent(what: {
  readonly worker: number;
  readonly run: TraceRun;
  readonly step: number;
  readonly atMs: number;
  readonly outcome: 'landed' | 'failed' | 'unknown' | 'blocked' | null;
}): Timed {
  const { worker, run, step, atMs, outcome } = what;
  const { tenant, feature, agent } = run;
  const afterRevision = atMs > AT.released ? 2 : atMs > AT.durable ? 1 : 0;
  return {
    atMs,
    body: {
      type: 'store.intent',
      incarnation: `life-${worker}`,
      intent: Math.round(atMs * 1000) + step,
      run: run.run,
      tenant,
      feature,
      agent,
      lineage: [],
      capability: run.plan[step]?.capability ?? 'model/chat',
      key: `key-${step}`,
      afterRevision,
      outcome,
    },
  };
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

export function stopFlip(on: Switch): Flip {
  return { kind: 'stop', id: STOP_ID, ...on, mode: 'halt_all', queue: 'discard', ...SIGNED_BY };
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

function flips(on: Switch, isReleased: boolean): readonly Timed[] {
  const stop = { flip: 1, kind: 'stop', ...on, mode: 'halt_all', id: STOP_ID } as const;
  const release = { flip: 2, kind: 'release', ...on, mode: null, id: RELEASE_ID } as const;
  const answered = { type: 'flip.answered', ok: true, error: null } as const;
  const stopped: readonly Timed[] = [
    { atMs: AT.stop, body: { type: 'flip.requested', ...stop } },
    { atMs: AT.stop + 1, t1Ms: AT.durable, body: { ...answered, ...stop, revision: 1 } },
  ];
  const released: readonly Timed[] = [
    { atMs: AT.release, body: { type: 'flip.requested', ...release } },
    { atMs: AT.release + 1, t1Ms: AT.released, body: { ...answered, ...release, revision: 2 } },
  ];
  const texts = [stopFlip(on), ...(isReleased ? [releaseFlip(on)] : [])].map(canonicalText);
  return [...stopped, ...(isReleased ? released : []), ...storeRows(texts)];
}

/** The store's rows for a chain of texts. */
export function storeRows(texts: readonly string[]): readonly Timed[] {
  let hash = '';
  const rows = texts.map((text, nth): Timed => {
    hash = chainHash(hash, EPOCH, nth + 1, text);
    return { atMs: nth, body: { type: 'store.flip', revision: nth + 1, epoch: EPOCH, hash, text, signature: null } };
  });
  return [...rows, { atMs: texts.length, body: { type: 'store.head', epoch: EPOCH, revision: texts.length, hash } }];
}

function scenarioOf(on: Switch, isReleased: boolean): Scenario {
  const stop: TimelineEntry = {
    kind: 'flip',
    when: { kind: 'exposed' },
    ...on,
    mode: 'halt_all',
    queue: 'discard',
    via: 'postgres',
    reason: 'drill',
  };
  const release: TimelineEntry = { kind: 'release', when: { kind: 'flip-hold' }, ...on, reason: 'drill' };
  return {
    version: 1,
    name: 'tenant-halt',
    description: 'a drill of the tests',
    seed: 42,
    fleet: { workers: 2, agentsPerWorker: 8, leaseMs: 1_200, command: null },
    traffic: { profile: 'production', effectsPerSecond: 125, tenants: 3 },
    downstream: { landsAfterAbort: false },
    steadyState: { forMs: 2_000, effectsPerSecond: { min: 50 } },
    timeline: isReleased ? [stop, release] : [stop],
    holdMs: 6_000,
    settleMs: 5_000,
    expect: { timeToStop: { connectedMs: 600, cutMs: 2_000 }, effectsAfterBudget: 0, properties: 'all' },
  };
}
