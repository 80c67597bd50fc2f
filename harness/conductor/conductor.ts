import type { Switch } from '../../src/switch.ts';
import { switchMatches } from '../../src/switch.ts';
import { DRILL_TIMES } from '../drill/drill.ts';
import type { DrillClock } from '../history/clock.ts';
import type { Phase } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { Anchor, FlipEntry, ReleaseEntry, Scenario, TimelineEntry } from '../scenario/scenario.ts';
import { subjectOf } from '../traffic/in-scope.ts';
import type { Trace } from '../traffic/trace.ts';
import { OPERATOR } from '../history/operator.ts';
import type { InScope, World, WorkerExposure } from '../world/world.ts';
import { hasHeldChild, missingExposure } from './exposed.ts';
import type { WantedExposure } from './exposed.ts';
import type { Detectors } from './detectors.ts';
import type { Faults } from './faults.ts';
import type { Forger } from './forger.ts';
import type { Observer } from './observer.ts';
import type { Operator } from './operator.ts';
import type { Probes } from './probes.ts';
import type { WayBack } from './way-back.ts';
import { waitUntil, sleep } from '../environment/wait.ts';

export interface ConductorParts {
  readonly scenario: Scenario;
  readonly trace: Trace;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly world: World;
  readonly operator: Pick<Operator, 'stop' | 'release' | 'settled' | 'revision' | 'overtaken'>;
  /** These are null for a fleet with a switch of its own, whose scenario has no entry for them. */
  readonly forger: Forger | null;
  readonly observer: Observer | null;
  readonly wayBack: WayBack | null;
  readonly probes: Probes | null;
  readonly faults: Faults;
  /** Null for a scenario without alerts. */
  readonly detectors: Detectors | null;
  readonly enter: (phase: Phase) => void;
  readonly signal: AbortSignal;
}

const EXPOSED_LOOK_MS = 10;
/** Effects come at most every few milliseconds, and the moment is that of one of them. */
const EFFECT_LOOK_MS = 1;
/** A held call must be held for this many budgets yet, or its close would prove nothing (DESIGN §4.4). */
const HELD_BUDGETS = 3;

/** Plays a scenario's timeline against a running fleet. */
export class Conductor {
  readonly #parts: ConductorParts;
  #previousNs: number;
  #firstFlipNs: number | null = null;
  #flips = 0;
  /** Stops whose answers nobody has waited for yet. */
  readonly #unanswered: Promise<void>[] = [];

  constructor(parts: ConductorParts) {
    this.#parts = parts;
    this.#previousNs = parts.clock.nowNs();
  }

  /** @param t0Ns when arrivals started. @throws the signal's reason when the drill is interrupted. */
  async play(t0Ns: number): Promise<void> {
    const { scenario, enter, signal } = this.#parts;
    this.#previousNs = t0Ns;
    enter('steady');
    await this.#until(t0Ns, scenario.steadyState.forMs);
    enter('timeline');
    for (const entry of scenario.timeline) {
      await this.#reach(entry, t0Ns);
      await this.#do(entry);
      this.#previousNs = this.#parts.clock.nowNs();
    }
    await this.#answered();
    if (this.#firstFlipNs !== null) await this.#until(this.#firstFlipNs, scenario.holdMs);
    await this.#parts.operator.settled();
    await this.#parts.probes?.settled();
    enter('settle');
    await sleep(scenario.settleMs, signal);
    await this.#parts.detectors?.settled();
  }

  async #reach(entry: TimelineEntry, t0Ns: number): Promise<void> {
    const { when } = entry;
    switch (when.kind) {
      case 'start':
        return this.#until(t0Ns, when.offsetMs);
      case 'previous':
        return this.#until(this.#previousNs, when.offsetMs);
      case 'flip':
        await this.#answered();
        return this.#until(this.#firstFlipNs ?? this.#previousNs, when.offsetMs);
      case 'flip-hold':
        await this.#answered();
        return this.#until(this.#firstFlipNs ?? this.#previousNs, this.#parts.scenario.holdMs);
      case 'exposed':
        return this.#awaitExposure(entry);
      case 'effect':
        return this.#awaitEffect(when);
      default:
        throw new TypeError(`unknown anchor ${JSON.stringify(when satisfies never)}`);
    }
  }

  async #until(fromNs: number, offsetMs: number): Promise<void> {
    const { clock, signal } = this.#parts;
    await sleep((fromNs - clock.nowNs()) / 1e6 + offsetMs, signal);
  }

  async #do(entry: TimelineEntry): Promise<void> {
    const { operator, forger, wayBack, faults, detectors, signal } = this.#parts;
    switch (entry.kind) {
      case 'flip':
        return this.#stop(entry);
      case 'release':
        return this.#release(entry);
      case 'resume':
        return wayBack?.resume(entry);
      case 'contract':
        return wayBack?.contract(entry);
      case 'compensate':
        return wayBack?.compensate(entry, signal);
      case 'alerts':
        return detectors?.publish(entry, operator.revision, operator.overtaken);
      case 'forge':
        return forger?.forge(entry, signal);
      case 'fault':
        return faults.inject(entry);
      default:
        throw new TypeError(`unknown entry ${JSON.stringify(entry satisfies never)}`);
    }
  }

  async #stop(entry: FlipEntry): Promise<void> {
    this.#flips += 1;
    const answered = this.#ask(entry, this.#flips);
    if (entry.wait) return answered;
    answered.catch(() => undefined); // whoever waits for it is told
    this.#unanswered.push(answered);
  }

  async #ask(entry: FlipEntry, nth: number): Promise<void> {
    const { clock, operator, observer, probes, enter, signal } = this.#parts;
    this.#noteExposure(entry);
    const { id, isTaken } = await operator.stop(entry, (revision) => probes?.plant(nth, revision), signal);
    if (this.#firstFlipNs === null) {
      this.#firstFlipNs = clock.nowNs();
      enter('hold');
    }
    if (!isTaken || entry.effectiveWithinMs === null) return;
    await operator.settled(); // what is not durable is not effective
    await observer?.awaitEffective(nth, id, entry.effectiveWithinMs);
  }

  /** Waits for the answers of all stops that the timeline did not wait for. @throws what one of them threw */
  async #answered(): Promise<void> {
    await Promise.all(this.#unanswered.splice(0));
  }

  /** A release is of what is durable; what was taken for the time being has to get there first. */
  async #release(entry: ReleaseEntry): Promise<void> {
    const { operator, probes, signal } = this.#parts;
    await this.#answered();
    this.#flips += 1;
    await operator.settled();
    await probes?.settled();
    await operator.release(entry, signal);
  }

  /** Waits until so many effects in scope have arrived; goes on without them after 30 s, on record. */
  async #awaitEffect(when: Extract<Anchor, { readonly kind: 'effect' }>): Promise<void> {
    const { world, history, signal } = this.#parts;
    const inScope = inScopeOf(when);
    const arrived = (): number => world.effectsInScope(inScope);
    const boundMs = DRILL_TIMES.effectGiveUpMs;
    const reached = await waitUntil(() => arrived() >= when.count, { boundMs, everyMs: EFFECT_LOOK_MS, signal });
    if (reached) return;
    history.append({
      type: 'conductor.gaveUp',
      what: `effect ${when.count} of ${when.scope}:${when.target}`,
      missing: `within ${boundMs / 1000} s only ${arrived()} had arrived`,
    });
  }

  /** Waits until the stop would catch something in the act; goes on without it after 10 s, on record. */
  async #awaitExposure(before: TimelineEntry): Promise<void> {
    const { scenario, world, history, signal } = this.#parts;
    // A fault that waits for exposure waits for what the stop behind it is to catch.
    const entry = before.kind === 'flip' ? before : scenario.timeline.find(({ kind }) => kind === 'flip');
    if (entry?.kind !== 'flip') return;
    const inScope = inScopeOf(entry);
    const wanted = this.#wanted(entry, inScope);
    const missing = (): readonly string[] => missingExposure(workersOf(world.exposure(inScope)), wanted);
    const exposed = await waitUntil(() => missing().length === 0, {
      boundMs: DRILL_TIMES.exposedGiveUpMs,
      everyMs: EXPOSED_LOOK_MS,
      signal,
    });
    if (exposed) return;
    history.append({
      type: 'conductor.gaveUp',
      what: `exposure to the stop of ${entry.scope}:${entry.target}`,
      missing: `not within ${DRILL_TIMES.exposedGiveUpMs / 1000} s: ${missing().join('; ')}`,
    });
  }

  /** A later stop meets what the first has left of the children. */
  #wanted({ scope }: FlipEntry, inScope: InScope): WantedExposure {
    const { scenario, trace } = this.#parts;
    const { connectedMs, cutMs } = scenario.expect.timeToStop;
    return {
      neededMs: HELD_BUDGETS * Math.max(connectedMs, cutMs),
      atOne: scope === 'run' || scope === 'agent',
      child: this.#flips === 0 && hasHeldChild(trace, inScope),
    };
  }

  #noteExposure(entry: FlipEntry): void {
    const { world, history } = this.#parts;
    for (const { worker, open, held } of workersOf(world.exposure(inScopeOf(entry)))) {
      history.append({ type: 'exposure', flip: this.#flips, worker, open, held: held.length });
    }
  }
}

function inScopeOf(on: Switch): InScope {
  return (run, capability) => switchMatches(on, subjectOf(run, capability));
}

/** The operator has a channel, but is not of the fleet. */
function workersOf(exposure: readonly WorkerExposure[]): readonly WorkerExposure[] {
  return exposure.filter(({ worker }) => worker !== OPERATOR);
}
