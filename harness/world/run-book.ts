import type { Trace, TraceRun } from '../traffic/trace.ts';

/** One idempotency key of a run: which step it stands for, and whether the downstream has done it. */
export interface KeyState {
  readonly step: number | null;
  readonly serviceMs: number;
  /** It is answered in pieces. */
  readonly streams: boolean;
  /** So many attempts of it are refused yet. */
  refusalsLeft: number;
  landed: boolean;
}

export interface TakenStep {
  readonly key: KeyState;
  /** True when this key had arrived before. */
  readonly repeat: boolean;
}

/** How long an effect takes whose capability is not in its run's plan at all, milliseconds. */
const UNPLANNED_SERVICE_MS = 50;

/** The trace's runs and which of their steps were taken. A child is known once the world has started it. */
export class RunBook {
  readonly #runs: ReadonlyMap<string, RunPage>;
  readonly #started = new Set<string>();

  constructor(trace: Trace) {
    this.#runs = new Map(trace.runs.map((run) => [run.run, new RunPage(run)]));
  }

  /** A run that somebody may act for; undefined for none. */
  find(run: string): RunPage | undefined {
    const page = this.#runs.get(run);
    return page === undefined || this.#awaitsStart(page) ? undefined : page;
  }

  /** Why there is no such run. */
  whyUnknown(run: string): string {
    return this.#runs.has(run) ? `run ${run} is a child that nobody has started` : `run ${run} is not in the trace`;
  }

  /** The child that a run's step plans; null for none. */
  plannedChild({ run }: RunPage, step: number | null): TraceRun | null {
    const child = step === null ? undefined : run.plan[step]?.child;
    return (child === undefined ? undefined : this.#runs.get(child)?.run) ?? null;
  }

  /** From now on this child is known. */
  started(child: TraceRun): void {
    this.#started.add(child.run);
  }

  #awaitsStart({ run }: RunPage): boolean {
    return run.parent !== undefined && !this.#started.has(run.run);
  }
}

/** One run of the trace. Keys are the run's own: the same key of another run or capability is another effect. */
export class RunPage {
  readonly run: TraceRun;
  readonly #taken = new Set<number>();
  readonly #keys = new Map<string, KeyState>();
  readonly #apart = new Map<string, KeyState>();

  constructor(run: TraceRun) {
    this.run = run;
  }

  /**
   * The step that a key such as `run-000001/3` names; for any other key the first one with this capability that no other
   * key has taken. A key seen before keeps its step.
   */
  take(capability: string, key: string): TakenStep {
    return remembered(this.#keys, `${capability} ${key}`, () => {
      const { plan } = this.run;
      const isFree = (index: number): boolean => plan[index]?.capability === capability && !this.#taken.has(index);
      const named = this.#named(key);
      const step = isFree(named) ? named : plan.findIndex((_, index) => isFree(index));
      if (step >= 0) this.#taken.add(step);
      const like = step >= 0 ? plan[step] : plan.findLast((planned) => planned.capability === capability);
      return {
        step: step >= 0 ? step : null,
        serviceMs: like?.serviceMs ?? UNPLANNED_SERVICE_MS,
        streams: like?.kind === 'stream',
        refusalsLeft: step >= 0 ? (plan[step]?.refusals ?? 0) : 0,
        landed: false,
      };
    });
  }

  /** An effect of this run that no plan has, whatever its capability: an operator's. */
  takeApart(capability: string, key: string): TakenStep {
    return remembered(this.#apart, `${capability} ${key}`, () => {
      return { step: null, serviceMs: UNPLANNED_SERVICE_MS, streams: false, refusalsLeft: 0, landed: false };
    });
  }

  #named(key: string): number {
    const prefix = `${this.run.run}/`;
    const number = key.startsWith(prefix) ? key.slice(prefix.length) : '';
    return /^\d{1,4}$/.test(number) ? Number(number) : -1;
  }
}

function remembered(keys: Map<string, KeyState>, name: string, make: () => KeyState): TakenStep {
  const known = keys.get(name);
  if (known !== undefined) return { key: known, repeat: true };
  const key = make();
  keys.set(name, key);
  return { key, repeat: false };
}
