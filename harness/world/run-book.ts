import type { Trace, TraceRun } from '../traffic/trace.ts';

/** One idempotency key of a run: which step it stands for, and whether the downstream has done it. */
export interface KeyState {
  readonly step: number | null;
  readonly serviceMs: number;
  landed: boolean;
}

export interface TakenStep {
  readonly key: KeyState;
  /** True when this key had arrived before. */
  readonly repeat: boolean;
}

/** How long an effect takes whose capability is not in its run's plan at all, milliseconds. */
const UNPLANNED_SERVICE_MS = 50;

/** The trace's runs and which of their steps were taken. */
export class RunBook {
  readonly #runs: ReadonlyMap<string, RunPage>;

  constructor(trace: Trace) {
    this.#runs = new Map(trace.runs.map((run) => [run.run, new RunPage(run)]));
  }

  find(run: string): RunPage | undefined {
    return this.#runs.get(run);
  }
}

/** One run of the trace. Keys are the run's own: the same key of another run or capability is another effect. */
export class RunPage {
  readonly run: TraceRun;
  readonly #taken = new Set<number>();
  readonly #keys = new Map<string, KeyState>();

  constructor(run: TraceRun) {
    this.run = run;
  }

  /** The first step with this capability that no other key has taken; a key seen before keeps its step. */
  take(capability: string, key: string): TakenStep {
    const name = `${capability} ${key}`;
    const known = this.#keys.get(name);
    if (known !== undefined) return { key: known, repeat: true };
    const { plan } = this.run;
    const step = plan.findIndex((planned, index) => planned.capability === capability && !this.#taken.has(index));
    if (step >= 0) this.#taken.add(step);
    const like = step >= 0 ? plan[step] : plan.findLast((planned) => planned.capability === capability);
    const state = {
      step: step >= 0 ? step : null,
      serviceMs: like?.serviceMs ?? UNPLANNED_SERVICE_MS,
      landed: false,
    };
    this.#keys.set(name, state);
    return { key: state, repeat: false };
  }
}
