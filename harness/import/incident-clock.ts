import { lengthText, timeText } from './times.ts';

interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  /** When it begins in the drill, milliseconds after T0. */
  readonly drillMs: number;
}

export interface ClockOptions {
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Between two flips at most so much is kept: half of it behind the one, half before the other. */
  readonly longestGapMs: number;
}

/** From the incident's time to the drill's: a drill lasts a minute, an incident hours. */
export class IncidentClock {
  readonly #stretches: readonly Stretch[];
  readonly #cuts: readonly (readonly [number, number])[];

  /** @param marksMs when flips were asked for, ascending, milliseconds since 1970; at least one */
  constructor(marksMs: readonly number[], { beforeMs, afterMs, longestGapMs }: ClockOptions) {
    const stretches: Stretch[] = [];
    const cuts: [number, number][] = [];
    let fromMs = (marksMs[0] ?? 0) - beforeMs;
    let drillMs = 0;
    for (const [index, mark] of marksMs.entries()) {
      const next = marksMs[index + 1];
      if (next === undefined || next - mark <= longestGapMs) continue;
      const [cutFrom, cutTo] = [mark + longestGapMs / 2, next - longestGapMs / 2];
      stretches.push({ fromMs, toMs: cutFrom, drillMs });
      cuts.push([cutFrom, cutTo]);
      drillMs += cutFrom - fromMs;
      fromMs = cutTo;
    }
    stretches.push({ fromMs, toMs: (marksMs.at(-1) ?? 0) + afterMs, drillMs });
    this.#stretches = stretches;
    this.#cuts = cuts;
  }

  /** Milliseconds after T0; null for a moment that is not in the drill. */
  drillMs(atMs: number): number | null {
    for (const { fromMs, toMs, drillMs } of this.#stretches) {
      if (atMs < fromMs) return null;
      if (atMs < toMs) return drillMs + atMs - fromMs;
    }
    return null;
  }

  /** The incident's first and last moment that is in the drill. */
  get bounds(): { readonly fromMs: number; readonly toMs: number } {
    return { fromMs: this.#stretches[0]?.fromMs ?? 0, toMs: this.#stretches.at(-1)?.toMs ?? 0 };
  }

  get lengthMs(): number {
    const last = this.#stretches.at(-1);
    return last === undefined ? 0 : last.drillMs + last.toMs - last.fromMs;
  }

  /** What was cut out between flips, a sentence each. */
  cuts(): readonly string[] {
    return this.#cuts.map(
      ([from, to]) => `${lengthText(to - from)} between two flips, from ${timeText(from)} on: nothing was flipped then`,
    );
  }
}
