import type { Observed, StopState } from '../../../src/control/effectiveness.ts';
import type { OpenIntent, RegisteredWorker, StopFacts } from '../../../src/store/effectiveness-port.ts';

/** What may happen next; `life` picks one of the lives that there are. */
export type Step =
  | { readonly kind: 'start'; readonly name: 'a' | 'b'; readonly registers: boolean }
  | {
      readonly kind: 'admit' | 'dispatch' | 'end' | 'give-up' | 'outcome' | 'apply' | 'look' | 'report' | 'die';
      readonly life: number;
    }
  | { readonly kind: 'read'; readonly life: number; readonly ms: number }
  | { readonly kind: 'stop' }
  | { readonly kind: 'wait'; readonly ms: number };

/** How stops are judged, and how reports are made; a planted bug is another of either. */
export interface Rules {
  readonly judge: (facts: StopFacts, observed: Observed) => Pick<StopState, 'state'>;
  readonly report: 'one tick' | 'two ticks';
}

interface Call {
  readonly seq: number;
  readonly journaled: boolean;
  readonly deadlineAtMs: number;
  dispatched: boolean;
  ended: boolean;
  /** What the journal says of it: nothing yet, that its worker gave it up, or how it ended. */
  outcome: 'none' | 'gave up' | 'settled';
}

interface Life {
  readonly name: 'a' | 'b';
  readonly incarnation: string;
  readonly registers: boolean;
  alive: boolean;
  knows: boolean;
  leaseUntilMs: number;
  calls: readonly Call[];
  /** Of a reporter that reads in two ticks: what it saw first. */
  looked: boolean | null;
  reported: { readonly applied: boolean; readonly busy: boolean; readonly atMs: number } | null;
}

const LEASE_MS = 1_200;
const LONGEST_MS = 2_000;
const STOP = { id: 'stop', revision: 1, scope: 'global', target: '*', mode: 'halt_all', drains: false } as const;

/**
 * A small fleet under one global stop, and the truth about it: which calls are open. After each step an observer asks the
 * rules; `effective` while a call is open, or before one is, is the lie that is looked for.
 */
export class StoppedFleet {
  readonly #rules: Rules;
  readonly #isClosed: boolean;
  readonly #lives: Life[] = [];
  #nowMs = 0;
  #durableMs: number | null = null;
  #seq = 0;
  saidEffective = false;

  constructor(rules: Rules, isClosed: boolean) {
    this.#rules = rules;
    this.#isClosed = isClosed;
  }

  /** Returns what the observer got wrong; null for nothing. */
  take(step: Step): string | null {
    this.#do(step);
    if (this.#durableMs === null) return null;
    const observed = { durableSeenMs: this.#durableMs, askedMs: this.#nowMs };
    if (this.#rules.judge(this.#facts(), observed).state === 'effective') this.saidEffective = true;
    const open = this.#lives.find(({ calls }) => calls.some(isOpen));
    return this.saidEffective && open !== undefined ? `effective, and ${open.incarnation} has a call open` : null;
  }

  #do(step: Step): void {
    if (step.kind === 'start') return this.#start(step.name, step.registers);
    if (step.kind === 'stop') {
      this.#durableMs ??= this.#nowMs;
      return;
    }
    if (step.kind === 'wait') {
      this.#nowMs += step.ms;
      // A read that no journal knows ends at its deadline: a process suspended inside one is excepted.
      for (const call of this.#calls()) if (!call.journaled && this.#nowMs >= call.deadlineAtMs) call.ended = true;
      return;
    }
    const life = this.#lives.length === 0 ? undefined : this.#lives[step.life % this.#lives.length];
    if (life?.alive === true) this.#act(life, step);
    else if (life !== undefined && step.kind === 'outcome') this.#record(life);
  }

  #start(name: 'a' | 'b', registers: boolean): void {
    if (this.#lives.length >= 4 || (this.#isClosed && !registers)) return;
    const knows = this.#durableMs !== null;
    const incarnation = `${name}${this.#lives.length}`;
    const fresh = { alive: true, knows, calls: [], looked: null, reported: null };
    this.#lives.push({ name, incarnation, registers, leaseUntilMs: this.#nowMs + LEASE_MS, ...fresh });
  }

  #act(life: Life, step: Extract<Step, { readonly life: number }>): void {
    const mayGo = !life.knows && this.#nowMs < life.leaseUntilMs;
    switch (step.kind) {
      case 'admit':
        // The fence: nothing is let in for a registry that is not at the head; every answer renews the lease.
        if (this.#durableMs !== null) return;
        life.leaseUntilMs = this.#nowMs + LEASE_MS;
        life.calls = [...life.calls, this.#call(true, LONGEST_MS)];
        return;
      case 'read':
        if (mayGo) life.calls = [...life.calls, { ...this.#call(false, step.ms), dispatched: true }];
        return;
      case 'dispatch': {
        const call = life.calls.find((one) => !one.dispatched && !one.ended);
        if (call === undefined) return;
        if (mayGo) call.dispatched = true;
        else Object.assign(call, { ended: true, outcome: 'settled' });
        return;
      }
      case 'end': {
        const call = life.calls.find(isOpen);
        if (call !== undefined) call.ended = true;
        return;
      }
      case 'give-up': {
        const call = life.calls.find((one) => isOpen(one) && one.outcome === 'none' && this.#nowMs >= one.deadlineAtMs);
        if (call !== undefined) call.outcome = 'gave up';
        return;
      }
      case 'outcome':
        return this.#record(life);
      case 'apply':
        if (this.#durableMs !== null) life.knows = true;
        return;
      case 'look':
        life.looked = life.calls.some(isOpen);
        return;
      case 'report': {
        const seen = this.#rules.report === 'two ticks' ? life.looked : null;
        life.reported = { applied: life.knows, busy: seen ?? life.calls.some(isOpen), atMs: this.#nowMs };
        return;
      }
      case 'die':
        life.alive = false;
        for (const call of life.calls) call.ended = true;
        return;
      default:
        throw new TypeError(`unknown step ${JSON.stringify(step satisfies never)}`);
    }
  }

  /** Outcomes are buffered: one may be recorded long after the end. */
  #record(life: Life): void {
    const call = life.calls.find(({ ended, outcome }) => ended && outcome === 'none');
    if (call !== undefined) call.outcome = 'settled';
  }

  #call(journaled: boolean, ms: number): Call {
    this.#seq += 1;
    const deadlineAtMs = this.#nowMs + ms;
    return { seq: this.#seq, journaled, deadlineAtMs, dispatched: false, ended: false, outcome: 'none' };
  }

  #calls(): readonly Call[] {
    return this.#lives.flatMap(({ calls }) => calls);
  }

  #facts(): StopFacts {
    const hash = 'h';
    return {
      head: { epoch: 'e', revision: 1, hash },
      stop: { ...STOP, closedRevision: null },
      inventory: { pools: { all: 1 }, closed: this.#isClosed },
      workers: this.#lives.filter(({ registers }) => registers).map((life) => this.#registered(life)),
      elsewhere: [],
      openIntents: this.#lives.flatMap((life) => (hasConfirmed(life) ? [] : this.#openIntents(life))),
      unread: [],
    };
  }

  #registered({ name, incarnation, reported }: Life): RegisteredWorker {
    return {
      ...{ worker: name, incarnation, pool: 'all', version: null, leaseMs: LEASE_MS, longestDeadlineMs: LONGEST_MS },
      ...{ registeredAgoMs: 0, inFlight: 0, canary: null },
      reportedAgoMs: reported === null ? null : this.#nowMs - reported.atMs,
      admittedAgoMs: null,
      appliedThrough: reported === null ? null : Number(reported.applied),
      busy: reported?.busy === true ? [STOP.id] : [],
    };
  }

  #openIntents({ incarnation, calls }: Life): readonly OpenIntent[] {
    return calls
      .filter(({ journaled, outcome }) => journaled && outcome !== 'settled')
      .map(({ seq, deadlineAtMs }) => ({
        ...{ incarnation, seq, run: 'run', capability: 'write/mail', deadlineMs: LONGEST_MS },
        isPastDeadline: this.#nowMs > deadlineAtMs,
      }));
  }
}

function isOpen({ dispatched, ended }: Call): boolean {
  return dispatched && !ended;
}

function hasConfirmed({ registers, reported }: Life): boolean {
  return registers && reported !== null && reported.applied && !reported.busy;
}
