import { switchMatches } from '../../../src/switch.ts';
import type { StopMode, Subject, Switch } from '../../../src/switch.ts';
import type { CriticalRules } from '../../../src/store/store.ts';
import { isCriticalCapability, isCriticalTask } from '../../../harness/checkers/critical-of.ts';
import { subjectOf } from '../../../harness/checkers/in-scope.ts';
import type { PlanStep, TraceRun } from '../../../harness/traffic/trace.ts';
import { AT, revisionAt } from './clean-times.ts';
import { TaskLog } from './clean-tasks.ts';
import type { Timed } from './history-builder.ts';

export const WORKERS = [1, 2] as const;

export interface FleetOptions {
  readonly on: Switch;
  readonly mode: StopMode;
  readonly queue: 'discard' | 'park' | 'drain';
  readonly drainMs: number;
  /** The timeline waits for the stop to be effective; null for no wait. */
  readonly effectiveWithinMs: number | null;
  readonly critical: CriticalRules;
  readonly isReleased: boolean;
  /** What was discarded is resumed. */
  readonly isResumed: boolean;
  /** Nothing is admitted or dispatched in it, by anybody. */
  readonly outage: { readonly fromMs: number; readonly toMs: number } | null;
}

/** One task on its way: which steps are left, and who works on it. */
interface Work {
  readonly id: string;
  readonly kind: 'run' | 'timer' | 'webhook' | 'child';
  readonly run: TraceRun;
  readonly steps: readonly number[];
  readonly worker: number;
  readonly stamp: number;
  /** Attempts at the first of its steps that were refused. */
  readonly refused: number;
}

type Wait = { readonly atMs: number; readonly dueMs: number; readonly isRetry?: boolean };

/** Plays runs as a fleet without a fault would, and keeps all accounts: the world's, the journal's and the queue's. */
export class CleanFleet {
  readonly timed: Timed[] = [];
  readonly tasks = new TaskLog();
  readonly #options: FleetOptions;
  readonly #runs: ReadonlyMap<string, TraceRun>;
  readonly #counts = new Map<number, { effects: number; intents: number }>();
  #effects = 0;
  #handed = 0;

  constructor(options: FleetOptions, runs: readonly TraceRun[]) {
    this.#options = options;
    this.#runs = new Map(runs.map((run) => [run.run, run]));
  }

  /** A run that arrives by itself. */
  play(run: TraceRun): void {
    const worker = (this.#handed % 2) + 1;
    this.#handed += 1;
    const atMs = AT.traffic + run.dueMs;
    const who = { worker: `worker-${worker}`, channel: worker };
    this.timed.push({ atMs, body: { type: 'run.due', run: run.run } });
    this.timed.push({ atMs: atMs + 1, body: { type: 'run.handed', run: run.run, ...who } });
    this.#enqueue({ id: run.run, kind: 'run', run, steps: stepsOf(run), worker }, atMs + 1, run.startAfterMs ?? 0);
  }

  /** A run that the harness puts into the queue itself, as old as if it had been there before the stop. */
  plant(run: TraceRun, atMs: number): void {
    this.timed.push({ atMs, body: { type: 'probe.planted', flip: 1, run: run.run, task: run.run } });
    const work: Work = { id: run.run, kind: 'run', run, steps: stepsOf(run), worker: 1, stamp: 0, refused: 0 };
    this.tasks.admit({ ...work, critical: this.#isCritical(work) }, atMs, atMs);
    this.#wait(work, { atMs, dueMs: atMs });
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

  /** Nothing new while a stop in `halt_all` is on, drain or not; under `halt_noncritical` it is let in, and parked. */
  #enqueue(what: Omit<Work, 'stamp' | 'refused'>, atMs: number, inMs: number): boolean {
    const work: Work = { ...what, stamp: revisionAt(atMs), refused: 0 };
    const { outage, mode } = this.#options;
    if (outage !== null && atMs >= outage.fromMs && atMs <= outage.toMs) return false;
    const isStopped = this.#isOn(atMs) && this.#covers(work);
    if (isStopped && mode !== 'halt_noncritical') return false;
    const dueMs = atMs + inMs;
    const critical = this.#isCritical(work);
    const isParked = isStopped && !critical && work.stamp > 0;
    this.tasks.admit({ ...work, critical }, atMs, dueMs, isParked ? 'parked' : 'queued');
    if (!isParked) this.#wait(work, { atMs, dueMs });
    else if (this.#options.isReleased) this.#back(work, AT.released + 20, dueMs);
    return true;
  }

  #isOn(atMs: number): boolean {
    return atMs >= AT.stop && (!this.#options.isReleased || atMs <= AT.released);
  }

  /** Waits for its time, in a queue that a stop may come over. */
  #wait(work: Work, { atMs, dueMs, isRetry = false }: Wait): void {
    const held = this.#covers(work) && !this.#isCritical(work) ? this.#stretch(work) : null;
    const claimMs = Math.max(atMs + 0.5, dueMs);
    if (held === null || claimMs < held.fromMs || atMs > held.toMs) this.#claim(work, claimMs);
    else this.#held(work, Math.max(held.fromMs + 20, atMs + 5), { dueMs, isRetry });
  }

  #held(work: Work, atMs: number, { dueMs, isRetry }: { readonly dueMs: number; readonly isRetry: boolean }): void {
    const { isReleased, isResumed } = this.#options;
    const policy = this.#policy();
    this.tasks.change(work.id, policy === 'discard' ? 'discarded' : 'parked', { atMs, retry: isRetry, dueMs });
    if (policy === 'discard' && isResumed) this.#back({ ...work, stamp: 2 }, AT.resume + 5, dueMs);
    if (policy !== 'discard' && isReleased) this.#back(work, AT.released + 20, dueMs);
  }

  #back(work: Work, atMs: number, dueMs: number): void {
    this.tasks.change(work.id, 'queued', { atMs, dueMs, stamp: work.stamp });
    this.#claim(work, Math.max(dueMs, atMs + 10));
  }

  #policy(): 'discard' | 'park' | 'drain' {
    return this.#options.mode === 'halt_noncritical' ? 'park' : this.#options.queue;
  }

  /** Works through what is left of a task under one claim. */
  #claim(work: Work, claimMs: number): void {
    if (claimMs > AT.drain) return;
    this.tasks.change(work.id, 'running', { atMs: claimMs });
    let atMs = claimMs + 0.5;
    for (const [nth, step] of work.steps.entries()) {
      const planned = work.run.plan[step];
      if (planned === undefined) continue;
      atMs += 2;
      const left = { ...work, steps: work.steps.slice(nth), refused: nth === 0 ? work.refused : 0 };
      const ended = this.#take(left, step, planned, atMs);
      if (ended) return;
      atMs += this.#isOwn(work, planned) ? planned.serviceMs : 0;
    }
    this.tasks.change(work.id, 'done', { atMs: atMs + 0.2 });
  }

  /** Takes one step; true when that ended the claim. */
  #take(work: Work, step: number, planned: PlanStep, atMs: number): boolean {
    const { outage } = this.#options;
    if (outage !== null && atMs >= outage.fromMs && atMs <= outage.toMs) return this.#giveBack(work, atMs);
    const held = this.#coversStep(work, step) ? this.#stretch(work) : null;
    if (held !== null && atMs >= held.fromMs && atMs <= held.toMs) return this.#halt(work, atMs);
    if (!this.#isOwn(work, planned)) return this.#queueStep(work, step, planned, atMs);
    const endMs = atMs + planned.serviceMs;
    const isCut = held !== null && atMs < held.fromMs && endMs > held.fromMs;
    if (isCut) {
      this.#call(work, step, { atMs, endMs: held.fromMs + 15, end: 'closed' });
      return this.#halt({ ...work, steps: work.steps.slice(1), refused: 0 }, held.fromMs + 18);
    }
    if (work.refused < (planned.refusals ?? 0)) return this.#refuse(work, step, { atMs, endMs });
    this.#call(work, step, { atMs, endMs, end: 'landed' });
    if (planned.kind === 'spawn') return this.#spawn(work, step, endMs);
    return false;
  }

  /** A webhook and a timer are sent under a claim of their own. */
  #isOwn({ kind }: Work, planned: PlanStep): boolean {
    return kind === 'webhook' || kind === 'timer' || (planned.kind !== 'webhook' && planned.kind !== 'timer');
  }

  #queueStep(work: Work, step: number, planned: PlanStep, atMs: number): boolean {
    const { run, worker } = work;
    const kind = planned.kind === 'timer' ? 'timer' : 'webhook';
    const inMs = kind === 'timer' ? (planned.delayMs ?? 0) : 0;
    const let_in = this.#enqueue({ id: `${run.run}/${step}`, kind, run, steps: [step], worker }, atMs, inMs);
    return let_in ? false : this.#halt(work, atMs);
  }

  #spawn({ run, worker }: Work, step: number, atMs: number): boolean {
    const child = this.#runs.get(run.plan[step]?.child ?? '');
    if (child === undefined) return false;
    const who = { channel: worker, worker: `worker-${worker}` };
    const from = { run: child.run, parent: run.run, step, effect: this.#effects };
    this.timed.push({ atMs, body: { type: 'run.spawned', ...from, ...who } });
    this.#enqueue({ id: child.run, kind: 'child', run: child, steps: stepsOf(child), worker }, atMs + 0.5, 0);
    return false;
  }

  #refuse(work: Work, step: number, { atMs, endMs }: { readonly atMs: number; readonly endMs: number }): boolean {
    this.#call(work, step, { atMs, endMs, end: 'failed' });
    const backMs = endMs + 1;
    const dueMs = backMs + (work.run.plan[step]?.delayMs ?? 0);
    this.tasks.change(work.id, 'queued', { atMs: backMs, retry: true, dueMs });
    this.#wait({ ...work, refused: work.refused + 1 }, { atMs: backMs, dueMs, isRetry: true });
    return true;
  }

  /** A stopped run is parked or discarded, and goes on with what was not begun when it comes back. */
  #halt(work: Work, atMs: number): boolean {
    this.#held(work, atMs, { dueMs: atMs, isRetry: false });
    return true;
  }

  /** For somebody who comes when all is over: nobody does. */
  #giveBack(work: Work, atMs: number): boolean {
    this.tasks.change(work.id, 'queued', { atMs });
    return true;
  }

  /** When the stop holds a task of this stamp. */
  #stretch({ stamp }: Work): { readonly fromMs: number; readonly toMs: number } {
    const { drainMs, isReleased } = this.#options;
    const isDrained = this.#policy() === 'drain' && stamp < 1;
    const toMs = isReleased ? AT.released : Number.POSITIVE_INFINITY;
    return { fromMs: isDrained ? AT.durable + drainMs : AT.stop, toMs };
  }

  #subject({ run, kind, steps }: Work): Subject {
    const own = kind === 'webhook' || kind === 'timer' ? run.plan[steps[0] ?? 0]?.capability : undefined;
    return subjectOf(run, own ?? null);
  }

  #covers(work: Work): boolean {
    return switchMatches(this.#options.on, this.#subject(work));
  }

  #isCritical(work: Work): boolean {
    return this.#options.mode === 'halt_noncritical' && isCriticalTask(this.#options.critical, this.#subject(work));
  }

  #coversStep(work: Work, step: number): boolean {
    const { critical, mode, on } = this.#options;
    const capability = work.run.plan[step]?.capability ?? '';
    if (this.#isCritical(work) || (mode === 'halt_noncritical' && isCriticalCapability(critical, capability)))
      return false;
    return switchMatches(on, subjectOf(work.run, capability));
  }

  #call(
    { run, worker }: Work,
    step: number,
    {
      atMs,
      endMs,
      end,
    }: { readonly atMs: number; readonly endMs: number; readonly end: 'landed' | 'failed' | 'closed' },
  ): void {
    const planned = run.plan[step];
    if (planned === undefined) return;
    this.#effects += 1;
    const counts = this.#counts.get(worker) ?? { effects: 0, intents: 0 };
    counts.effects += 1;
    this.#counts.set(worker, counts);
    const effect = this.#effects;
    const what = { run: run.run, capability: planned.capability, key: `${run.run}/${step}`, step };
    const who = { channel: worker, worker: `worker-${worker}` };
    const isRepeat = this.tasks.sent(`${run.run}/${step}`);
    this.timed.push({ atMs, body: { type: 'effect.arrived', effect, ...who, ...what, repeat: isRepeat } });
    if (end === 'closed') this.timed.push({ atMs: endMs, body: { type: 'effect.closed', effect, by: 'worker' } });
    else this.timed.push({ atMs: endMs, body: { type: end === 'landed' ? 'effect.landed' : 'effect.failed', effect } });
    if (!planned.journal) return;
    counts.intents += 1;
    this.timed.push(...rows({ worker, run, step, atMs, outcome: end === 'closed' ? 'unknown' : end }));
  }
}

function stepsOf({ plan }: TraceRun): readonly number[] {
  return plan.map((_, step) => step);
}

interface IntentFacts {
  readonly worker: number;
  readonly run: TraceRun;
  readonly step: number;
  readonly atMs: number;
  readonly outcome: 'landed' | 'failed' | 'unknown' | 'blocked' | null;
}

/** The journal's row for one planned step, placed by the clean drill's flips. */
export function intent({ worker, run, step, atMs, outcome }: IntentFacts): Timed {
  const { tenant, feature, agent, lineage = [] } = run;
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
      lineage,
      capability: run.plan[step]?.capability ?? 'model/chat',
      key: `${run.run}/${step}`,
      afterRevision: revisionAt(atMs),
      outcome,
    },
  };
}

/** The intent, and what the ledger makes of it. */
function rows(facts: IntentFacts): readonly Timed[] {
  const row = intent(facts);
  const { outcome, run, step, atMs } = facts;
  if (row.body.type !== 'store.intent' || (outcome !== 'landed' && outcome !== 'unknown')) return [row];
  const { incarnation, intent: seq, capability, key, afterRevision } = row.body;
  const access = run.plan[step]?.access ?? 'read';
  const what = { incarnation, intent: seq, run: run.run, capability, access, key, outcome, afterRevision };
  return [row, { atMs, body: { type: 'store.ledger', ...what, compensation: null } }];
}
