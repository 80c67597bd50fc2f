import type { Clock } from '../clock.ts';
import type { AlertDraft, AlertPort } from './alert-draft.ts';
import type { Gauge, Level, Sample } from './gauge.ts';
import type { Observation } from './observation.ts';
import type { DetectorConfig, DetectorRule } from './rule.ts';
import { SeriesTable } from './series-table.ts';
import { BUCKETS } from './sliding-window.ts';

/** An alert that could not be delivered is raised again after this long at the earliest. */
const RETRY_MS = 100;
/** Idle series that one look drops at most, so that a look stays short. */
const DROPPED_PER_LOOK = 1_000;

interface Series {
  readonly target: string;
  readonly what: string;
  readonly level: Level;
  /** Not raised before this. */
  quietUntilMs: number;
  /** Counts deliveries, so that a late failure is known to be late. */
  deliveries: number;
}

/** What one rule has done and holds. */
export interface RuleCounts {
  readonly rule: string;
  /** Series that it watches now. */
  readonly series: number;
  /** Series that it dropped while they still counted. */
  readonly forgotten: number;
  /** Series that are red now. */
  readonly red: number;
  /** Alerts that it raised, that the bus has taken, and that it has not; what is neither yet is under way. */
  readonly raised: number;
  readonly delivered: number;
  readonly undelivered: number;
}

/** One rule and everything that it watches. Level-triggered: what is red is raised until it is not. */
export class RuleWatch {
  readonly rule: DetectorRule;
  readonly #gauge: Gauge;
  readonly #config: DetectorConfig;
  readonly #port: AlertPort;
  readonly #clock: Clock;
  readonly #table: SeriesTable<Series>;
  readonly #red = new Set<Series>();
  #raised = 0;
  #delivered = 0;
  #undelivered = 0;

  constructor(rule: DetectorRule, gauge: Gauge, config: DetectorConfig, port: AlertPort, clock: Clock) {
    this.rule = rule;
    this.#gauge = gauge;
    this.#config = config;
    this.#port = port;
    this.#clock = clock;
    const grainMs = rule.windowMs / BUCKETS;
    // A window keeps nothing for longer than its length and a bucket; hearing is known to a grain.
    const idleMs = rule.windowMs + 2 * grainMs;
    this.#table = new SeriesTable({ max: config.maxSeries, idleMs, grainMs }, (series) => this.#red.delete(series));
  }

  /** Series that are watched now, never more than `maxSeries`. */
  get seriesCount(): number {
    return this.#table.size;
  }

  /** Series that were dropped while they still counted, since there were more than `maxSeries`. */
  get forgottenCount(): number {
    return this.#table.forgottenCount;
  }

  get raisedCount(): number {
    return this.#raised;
  }

  get undeliveredCount(): number {
    return this.#undelivered;
  }

  counts(nowMs: number): RuleCounts {
    return {
      ...{ rule: this.rule.name, series: this.seriesCount, forgotten: this.forgottenCount },
      ...{ red: this.red(nowMs).length, raised: this.#raised },
      ...{ delivered: this.#delivered, undelivered: this.#undelivered },
    };
  }

  observe(observation: Observation, nowMs: number): void {
    const sample = this.#gauge.sample(observation);
    if (sample === null) return;
    const series = this.#table.hear(sample.key, nowMs, () => this.#begin(sample));
    // It may have been green since anybody looked; then what follows is news.
    if (this.#red.has(series)) this.#redValue(series, nowMs);
    series.level.add(nowMs, sample.amount);
    this.#judge(series, nowMs);
  }

  /** Raises what is still red and due, and drops what has been idle. */
  look(nowMs: number): void {
    for (const series of [...this.#red]) this.#judge(series, nowMs);
    this.#table.dropIdle(nowMs, DROPPED_PER_LOOK);
  }

  /** What is red now. */
  red(nowMs: number): readonly AlertDraft[] {
    return [...this.#red].flatMap((series) => {
      const value = series.level.read(nowMs);
      return value !== null && this.#gauge.isRed(value) ? [this.#draft(series, value)] : [];
    });
  }

  #begin({ target, what }: Sample): Series {
    const level = this.#gauge.makeLevel();
    return { target, what, level, quietUntilMs: Number.NEGATIVE_INFINITY, deliveries: 0 };
  }

  #judge(series: Series, nowMs: number): void {
    const value = this.#redValue(series, nowMs);
    if (value === null) return;
    this.#red.add(series);
    if (nowMs < series.quietUntilMs) return;
    series.quietUntilMs = nowMs + this.#config.repeatMs;
    series.deliveries += 1;
    this.#raised += 1;
    void this.#deliver(series, this.#draft(series, value), series.deliveries);
  }

  /** The metric if it is red. If it is not, the next time that it is will be news, and is not kept waiting. */
  #redValue(series: Series, nowMs: number): number | null {
    const value = series.level.read(nowMs);
    if (value !== null && this.#gauge.isRed(value)) return value;
    if (this.#red.delete(series)) series.quietUntilMs = Number.NEGATIVE_INFINITY;
    return null;
  }

  async #deliver(series: Series, draft: AlertDraft, delivery: number): Promise<void> {
    try {
      await this.#port.raise(draft);
      this.#delivered += 1;
    } catch {
      this.#undelivered += 1;
      if (series.deliveries !== delivery) return;
      series.quietUntilMs = Math.min(series.quietUntilMs, this.#clock.monotonicMs() + RETRY_MS);
    }
  }

  #draft({ target, what }: Series, value: number): AlertDraft {
    const { name, mode, per } = this.rule;
    const { threshold } = this.#gauge;
    return {
      detector: this.#config.detector,
      scope: per,
      target,
      mode,
      reason: this.#gauge.reason(what, value),
      evidence: { metric: name, value, threshold },
    };
  }
}
