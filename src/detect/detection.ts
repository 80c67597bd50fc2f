import type { Clock } from '../clock.ts';
import type { ReleaseCheck } from '../control/release.ts';
import { KilldrillError } from '../errors.ts';
import { NAME_RULE, isCapability, isName, shown } from '../name.ts';
import { capabilityMatches } from '../switch.ts';
import type { Switch } from '../switch.ts';
import type { AlertDraft, AlertPort } from './alert-draft.ts';
import { cost } from './cost.ts';
import type { Gauge } from './gauge.ts';
import { guardrail } from './guardrail.ts';
import { loop } from './loop.ts';
import type { Observation } from './observation.ts';
import { RuleWatch } from './rule-watch.ts';
import type { RuleCounts } from './rule-watch.ts';
import type { DetectorConfig, DetectorRule } from './rule.ts';
import { writeRate } from './write-rate.ts';

/** How often what is red is looked at without being asked, milliseconds. */
const LOOK_MS = 100;

/** What detection has done and holds. */
export interface DetectionCounts {
  /** Series that are watched now. */
  readonly series: number;
  /** Series that were dropped while they still counted: raise `maxSeries` if this grows. */
  readonly forgotten: number;
  readonly raised: number;
  /** Alerts that nobody took; while the reason holds, each is raised again. */
  readonly undelivered: number;
}

/**
 * All detectors of a process. Level-triggered: an alert is raised at the observation that makes a metric red, and again
 * every `repeatMs` as long as it is red, so that a lost alert costs a repetition and a release while it is red does not last.
 *
 * Memory is bounded: at most `maxSeries` series a rule, each of eleven numbers (guardrails: 22) and names of at most
 * 1,000 bytes.
 */
export class Detection {
  readonly #watches: readonly RuleWatch[];
  readonly #clock: Clock;

  constructor(config: DetectorConfig, port: AlertPort, clock: Clock) {
    this.#clock = clock;
    this.#watches = config.rules.map((rule) => new RuleWatch(rule, gaugeOf(rule), config, port, clock));
  }

  get counts(): DetectionCounts {
    const sum = (of: (watch: RuleWatch) => number): number =>
      this.#watches.reduce((total, watch) => total + of(watch), 0);
    return {
      series: sum((watch) => watch.seriesCount),
      forgotten: sum((watch) => watch.forgottenCount),
      raised: sum((watch) => watch.raisedCount),
      undelivered: sum((watch) => watch.undeliveredCount),
    };
  }

  /** The same, and what is red, by rule. */
  countsByRule(): readonly RuleCounts[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#watches.map((watch) => watch.counts(nowMs));
  }

  /**
   * Takes one observation, and raises what it makes red before it returns.
   *
   * @throws KilldrillError `OBSERVATION_INVALID` for an amount that is no number, or a name that no switch could have:
   * it would make a detector blind.
   */
  observe(observation: Observation): void {
    checkObservation(observation);
    const nowMs = this.#clock.monotonicMs();
    for (const watch of this.#watches) watch.observe(observation, nowMs);
  }

  /** Raises again what is still red and due, and drops what has been idle. */
  look(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const watch of this.#watches) watch.look(nowMs);
  }

  /** What is red now, by rule. */
  red(): readonly AlertDraft[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#watches.flatMap((watch) => watch.red(nowMs));
  }

  /** Looks by itself ten times a second; the returned function ends that. */
  start(): () => void {
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = this.#clock.after(LOOK_MS, () => {
        this.look();
        next();
      });
    };
    next();
    return () => cancel();
  }

  /** For a release of this switch: red while a metric is that asks for this very stop. */
  greenCheck(on: Switch): ReleaseCheck {
    const asksFor = ({ scope, target }: AlertDraft): boolean => {
      if (scope !== on.scope) return false;
      return scope === 'capability' ? capabilityMatches(on.target, target) : target === on.target;
    };
    return {
      name: 'detectors',
      check: () => Promise.resolve(this.red().find(asksFor)?.reason ?? null),
    };
  }
}

function gaugeOf(rule: DetectorRule): Gauge {
  switch (rule.kind) {
    case 'write-rate':
      return writeRate(rule);
    case 'guardrail':
      return guardrail(rule);
    case 'cost':
      return cost(rule);
    case 'loop':
      return loop(rule);
    default:
      throw new TypeError(`unknown rule ${JSON.stringify(rule satisfies never)}`);
  }
}

function checkObservation(observation: Observation): void {
  const { tenant, feature, agent, run } = observation;
  checkName('agent', agent);
  checkName('run', run);
  if (tenant !== null) checkName('tenant', tenant);
  if (feature !== null) checkName('feature', feature);
  switch (observation.kind) {
    case 'effect':
      if (!isCapability(observation.capability)) {
        throw invalid(`capability '${shown(observation.capability)}'`, 'a path such as write/mail');
      }
      if (observation.fingerprint !== null) checkName('fingerprint', observation.fingerprint);
      return;
    case 'cost':
      if (!Number.isFinite(observation.amount) || observation.amount < 0) {
        throw invalid(`cost ${shown(observation.amount)}`, 'a number from 0');
      }
      return;
    case 'metric':
      if (!Number.isFinite(observation.value)) {
        throw invalid(`value ${shown(observation.value)} of metric '${shown(observation.name)}'`, 'a finite number');
      }
      return;
    default:
      throw invalid(
        `kind '${shown((observation satisfies never as { readonly kind: unknown }).kind)}'`,
        'effect, cost or metric',
      );
  }
}

function checkName(what: string, name: string): void {
  if (!isName(name)) throw invalid(`${what} '${shown(name)}'`, NAME_RULE);
}

function invalid(found: string, expected: string): KilldrillError {
  const message = `an observation has ${found}; give it ${expected}, or a detector could not see what it is about`;
  return new KilldrillError('OBSERVATION_INVALID', message);
}
