import type { Registry } from '../../../../src/registry.ts';

export interface Spread {
  readonly n: number;
  readonly median: number;
  readonly worst: number;
}

interface Kill {
  readonly atMs: number;
  readonly wasAlone: boolean;
}

/** How long it takes from a kill until a stop that was asked for afterwards is enforced in another process: in this one. */
export class KillWatch {
  readonly #kills: Kill[] = [];
  readonly #asked: { readonly flipId: string; readonly atMs: number }[] = [];
  readonly #enforcedMs = new Map<string, number>();

  constructor(registry: Registry) {
    registry.onChange(() => {
      const nowMs = performance.now();
      for (const { id } of registry.openEngagements()) if (!this.#enforcedMs.has(id)) this.#enforcedMs.set(id, nowMs);
    });
  }

  /** An alert whose publishing began at this moment asks for a stop that nobody has asked for before. */
  asked(flipId: string, atMs: number): void {
    this.#asked.push({ flipId, atMs });
  }

  killed(atMs: number, wasAlone: boolean): void {
    this.#kills.push({ atMs, wasAlone });
  }

  /** From each kill to the first stop enforced of those that were asked for after it. */
  untilNextStopMs(wasAlone: boolean): Spread {
    const took = this.#kills.flatMap((kill) => {
      if (kill.wasAlone !== wasAlone) return [];
      const next = this.#asked.filter(({ atMs }) => atMs >= kill.atMs);
      const enforced = next.flatMap(({ flipId }) => this.#enforcedMs.get(flipId) ?? []);
      return enforced.length === 0 ? [] : [Math.min(...enforced) - kill.atMs];
    });
    return spreadOf(took);
  }
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.map((value) => Math.round(value)).toSorted((one, other) => one - other);
  return { n: sorted.length, median: sorted[Math.floor(sorted.length / 2)] ?? 0, worst: sorted.at(-1) ?? 0 };
}
