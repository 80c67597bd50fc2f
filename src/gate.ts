import { groupOf } from './call-group.ts';
import { startCall } from './call.ts';
import type { EffectCall } from './call.ts';
import type { Clock } from './clock.ts';
import type { Decider } from './decider.ts';
import { haltedByOperator, haltedUnverified } from './decider.ts';
import type { Effect } from './effect.ts';
import { KilldrillError } from './errors.ts';
import type { GateObserver } from './gate-observer.ts';
import { HaltedError } from './halted-error.ts';
import type { InFlight } from './in-flight.ts';
import type { IntentJournal } from './journal/intents.ts';
import type { OutcomeBuffer } from './journal/outcomes.ts';
import { NAME_RULE, isCapability, isName, shown } from './name.ts';
import type { RunningRuns } from './running-runs.ts';
import { currentRun, enterRun } from './run-context.ts';
import type { RunContext, RunIdentity } from './run-context.ts';
import type { ClaimToken, ClaimedTask } from './store/store.ts';
import type { Subject } from './switch.ts';
import { wrapFetch } from './wrap-fetch.ts';
import type { WrapFetchOptions } from './wrap-fetch.ts';

/** A subject's check, bound once and asked often. */
export interface Check {
  /** The refusal that the subject would get now, or null. Never throws; costs about a clock reading. */
  refusal(): HaltedError | null;
}

interface GateParts {
  readonly decider: Decider;
  readonly intents: IntentJournal;
  readonly outcomes: OutcomeBuffer;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  /** Where runs are listed while they are in `enter`. */
  readonly runs?: RunningRuns;
  /** Why the claim is no longer ours; null while it is. Without it only the fence knows. */
  readonly lostClaim?: (claim: ClaimToken) => KilldrillError | null;
  /** Told of what was sent, how it ended, and what was refused. It must throw nothing. */
  readonly observer?: GateObserver;
}

const MAX_DEADLINE_MS = 24 * 3_600_000;

/**
 * The enforcement point in the agent's own call path, asked before every effect:
 * decide → intent through the fence → decide again and call, with no `await` between the two → outcome.
 */
export class Gate {
  readonly #parts: GateParts;
  #dispatched = 0;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Effects that this process has begun to send. */
  get dispatchedCount(): number {
    return this.#dispatched;
  }

  /** Runs `body` as the given run: every effect in it is judged, journaled and aborted as that run's. */
  enter<T>(identity: RunIdentity, body: (context: RunContext) => T): T {
    const { runs } = this.#parts;
    return enterRun(identity, runs === undefined ? body : (context) => runs.track(context, body));
  }

  /** As `enter`, for a task that was claimed: under its claim, its stamp and its class. */
  enterTask<T>(task: ClaimedTask, body: (context: RunContext) => T): T {
    const { run, agent, tenant, feature, lineage, admittedRevision, critical } = task;
    const claim = { task: task.id, token: task.token };
    return this.enter({ run, agent, tenant, feature, lineage, claim, admittedRevision, critical }, body);
  }

  /**
   * Sends one effect, if it may be sent.
   *
   * `call` must stop when its signal fires, and must not retry by itself: switch an SDK's own retries off.
   *
   * @throws HaltedError when it may not be sent, or was aborted; the same object again for a run that is latched.
   * @throws KilldrillError `NO_RUN` outside of a run, `EFFECT_INVALID` for an effect without a usable deadline, key or
   * path, `CLAIM_LOST` when the run's claim is another's by now, `DEADLINE` when the call outlived its deadline.
   */
  async run<T>(effect: Effect, call: EffectCall<T>): Promise<T> {
    const context = currentRun();
    if (context.latch !== null) throw this.#refusedBy(context.latch, context.subject, effect); // in a loop this costs next to nothing
    const lost = this.#lostClaim(context);
    if (lost !== null) throw lost;
    const subject = subjectOf(context, effect);
    const check = new BoundCheck(this.#parts.decider, context, subject);
    const refused = check.refusal();
    if (refused !== null) throw this.#refusedBy(refused, subject, effect);
    if (effect.journal === false) return this.#dispatch(effect, call, check, null);
    return this.#dispatch(effect, call, check, await this.#admit(effect, check));
  }

  /** Makes a function of one argument into one that asks the gate first; `effect` may be made from the argument. */
  tool<A, R>(
    effect: Effect | ((argument: A) => Effect),
    call: (argument: A, ...context: Parameters<EffectCall<R>>) => Promise<R>,
  ): (argument: A) => Promise<R> {
    return async (argument) => {
      const wanted = typeof effect === 'function' ? effect(argument) : effect;
      return this.run(wanted, (sending) => call(argument, sending));
    };
  }

  /** Makes a `fetch` that asks this gate before each request: `wrapFetch`. */
  wrapFetch(options: WrapFetchOptions): typeof globalThis.fetch {
    return wrapFetch(this, options);
  }

  /** Binds a check to the current run, or to a part of what it does. */
  bind(capability: string | null = null): Check {
    const context = currentRun();
    return new BoundCheck(this.#parts.decider, context, { ...context.subject, capability });
  }

  async #admit(effect: Effect, check: BoundCheck): Promise<number> {
    const { context, subject } = check;
    const { run, agent, tenant, feature, lineage } = subject;
    const { capability, access, idempotencyKey, deadlineMs } = effect;
    const { claim } = context;
    try {
      return await this.#parts.intents.admit(
        { run, agent, tenant, feature, lineage, capability, access, idempotencyKey, deadlineMs, claim },
        () => check.refusal(),
      );
    } catch (error) {
      if (error instanceof HaltedError) throw this.#refusedBy(error, subject, effect);
      throw error;
    }
  }

  #refusedBy(error: HaltedError, subject: Subject, effect: Effect): HaltedError {
    this.#parts.observer?.refused(subject, effect, error);
    return error;
  }

  /** A run whose claim is another's must not go on, not even with a read that the fence never sees. */
  #lostClaim({ claim }: RunContext): KilldrillError | null {
    return claim === null ? null : (this.#parts.lostClaim?.(claim) ?? null);
  }

  /** The second decision and the call stand in one tick: nothing may come between them. */
  #dispatch<T>(effect: Effect, call: EffectCall<T>, check: BoundCheck, seq: number | null): Promise<T> {
    const { outcomes, inFlight, clock, observer } = this.#parts;
    const late = check.refusal() ?? this.#lostClaim(check.context);
    if (late !== null) {
      if (seq !== null) outcomes.add({ seq, kind: 'blocked', detail: 'refused before its dispatch' });
      if (late instanceof HaltedError) this.#refusedBy(late, check.subject, effect);
      return Promise.reject(late);
    }
    this.#dispatched += 1;
    const { context, subject } = check;
    const { idempotencyKey } = effect;
    const group = groupOf(context, effect, clock);
    const result = startCall({
      call,
      effect,
      group,
      recheck: () => {
        const refused = check.refusal() ?? this.#lostClaim(context);
        if (refused !== null) throw refused;
      },
      track: (answer) =>
        inFlight.add({ subject, context, idempotencyKey, startedMs: clock.monotonicMs(), fate: group, answer }),
      ended: (kind, detail) => {
        if (seq !== null) outcomes.add({ seq, kind, detail });
        observer?.ended(subject, effect, kind);
      },
    });
    observer?.sent(subject, effect);
    return result;
  }
}

/** Keeps the last answer for as long as the decider's version stands, so that a check is a comparison and a clock reading. */
class BoundCheck implements Check {
  readonly context: RunContext;
  readonly subject: Subject;
  readonly #decider: Decider;
  #version = 0;

  constructor(decider: Decider, context: RunContext, subject: Subject) {
    this.#decider = decider;
    this.context = context;
    this.subject = subject;
  }

  refusal(): HaltedError | null {
    const { context } = this;
    if (context.latch !== null) return context.latch;
    if (this.#version !== this.#decider.version) {
      const stop = this.#decider.stopFor(this.subject);
      if (stop !== null) {
        context.latch = haltedByOperator(this.subject.agent, stop);
        return context.latch;
      }
      this.#version = this.#decider.version;
    }
    if (this.#decider.verified()) return null;
    context.unverified ??= haltedUnverified(this.subject.agent, this.#decider.unverifiedBecause?.());
    return context.unverified;
  }
}

function subjectOf(context: RunContext, effect: Effect): Subject {
  const { capability, idempotencyKey, deadlineMs, access } = effect;
  if (!isCapability(capability)) throw invalid('capability', capability, "a path such as 'write/mail'");
  if (!isName(idempotencyKey))
    throw invalid('idempotencyKey', idempotencyKey, `a text that is the same for every attempt; ${NAME_RULE}`);
  if (!(typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs <= MAX_DEADLINE_MS)) {
    throw invalid('deadlineMs', deadlineMs, `milliseconds above 0 and at most ${MAX_DEADLINE_MS}`);
  }
  if (access !== 'read' && access !== 'write') throw invalid('access', access, "'read' or 'write'");
  if (effect.journal === false && access !== 'read')
    throw invalid('journal', 'false on a write', 'journal-free reads only');
  return { ...context.subject, capability };
}

function invalid(field: string, found: unknown, expected: string): KilldrillError {
  return new KilldrillError('EFFECT_INVALID', `an effect's ${field} is '${shown(found)}'; expected ${expected}`);
}
