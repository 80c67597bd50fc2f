import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import type { InFlight } from '../in-flight.ts';
import type { Registry } from '../registry.ts';
import type { WorkerIdentity, WorkerReport, WorkerReports } from '../store/effectiveness-port.ts';
import { Engagements, modeStops } from '../switch.ts';
import { within } from '../within.ts';
import { reportTo } from '../report-to.ts';

export interface ReporterParts {
  readonly reports: WorkerReports;
  readonly identity: WorkerIdentity;
  readonly registry: Registry;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  /** The newest canary that this process's gate has refused, by revision; null before the first. */
  readonly canary?: () => number | null;
  /** Told of errors, for a log: what was not reported is reported later. */
  readonly onError?: (error: Error) => void;
}

/** Engagements that a report names as busy at most; more of them confirm nothing. */
const MAX_BUSY = 100;
/** Pause between two reports, and between two looks for the end of calls that a stop waits for. */
const PACE_MS = 20;
/** Making reports takes a tenth of this process's time at most, however many stops are open. */
const SHARE = 9;
const RETRY_MS = 100;
/** How long one report may take before it is given up. */
const BOUND_MS = 5_000;

/**
 * Tells the store where this process stands: after each change of the registry, when the last call in scope of a stop has
 * ended, and once a lease when nothing happens. It runs beside everything else: no check and no effect waits for it.
 */
export class WorkerReporter {
  readonly #parts: ReporterParts;
  #loop: Promise<void> | null = null;
  #closed = false;
  #registered = false;
  #number = 0;
  #wanted = false;
  #busy: readonly string[] | null = [];
  #madeInMs = 0;
  #endPause: (() => void) | null = null;
  #last: { readonly key: string; readonly atMs: number } | null = null;
  readonly #tell: (error: unknown) => void;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#tell = reportTo(parts.onError);
    parts.registry.onChange(() => this.wake());
  }

  /** There is something to tell. */
  wake(): void {
    this.#wanted = true;
    this.#endPause?.();
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /**
   * Says nothing more. A process that ends with nothing open takes itself off the list; any other stays there, for its
   * calls are to be accounted for.
   */
  async close(isClean: () => boolean): Promise<void> {
    this.#closed = true;
    this.wake();
    await this.#loop;
    const { reports, identity } = this.#parts;
    if (!this.#registered || !isClean() || this.#parts.inFlight.subjects()?.length !== 0) return;
    await this.#bounded(reports.deregister(identity.incarnation)).catch((error: unknown) => this.#tell(error));
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#wanted = false;
      try {
        await this.#once();
        await this.#pause(Math.max(PACE_MS, SHARE * this.#madeInMs), 'deaf');
        await this.#pause(this.#restMs(), 'open');
      } catch (error) {
        this.#tell(error);
        await this.#pause(RETRY_MS, 'deaf');
      }
    }
  }

  async #once(): Promise<void> {
    const { reports, identity, clock } = this.#parts;
    if (!this.#registered) {
      await this.#bounded(reports.register(identity));
      this.#registered = true;
    }
    // From here to the call everything is of one tick: that is what makes it a confirmation.
    const report = this.#make();
    if (report === null) return;
    const key = JSON.stringify([report.head, report.busy, report.canary]);
    const nowMs = clock.monotonicMs();
    if (this.#last !== null && this.#last.key === key && nowMs - this.#last.atMs < identity.leaseMs) return;
    this.#number += 1;
    this.#registered = await this.#bounded(reports.report(identity.incarnation, this.#number, report));
    this.#last = this.#registered ? { key, atMs: nowMs } : null;
  }

  #make(): WorkerReport | null {
    const { registry, inFlight, canary, clock } = this.#parts;
    const { head } = registry;
    if (head === null) return null;
    const fromMs = clock.monotonicMs();
    this.#busy = busyEngagements(registry, inFlight);
    this.#madeInMs = clock.monotonicMs() - fromMs;
    return { head, busy: this.#busy, inFlight: inFlight.count, canary: canary?.() ?? null };
  }

  /** Until the next look: soon while calls are open that a stop waits for. */
  #restMs(): number {
    return this.#registered && this.#busy?.length === 0 ? this.#parts.identity.leaseMs : 0;
  }

  #bounded<T>(call: Promise<T>): Promise<T> {
    const late = (): Error =>
      new KilldrillError('REPORT_UNANSWERED', `the store did not answer a worker's report within ${BOUND_MS} ms`);
    return within(this.#parts.clock, BOUND_MS, call, late);
  }

  /** Waits for `ms`; news ends it early, unless it is deaf. Closing always does. */
  #pause(ms: number, ears: 'open' | 'deaf'): Promise<void> {
    if (this.#closed || ms <= 0 || (ears === 'open' && this.#wanted)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#endPause = null;
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, end);
      this.#endPause = () => {
        if (ears === 'open' || this.#closed) end();
      };
    });
  }
}

/**
 * The open engagements that still have calls in scope here; null when they cannot all be named. One that drains is busy for
 * as long as its drain lasts: what it lets pass may begin another call.
 */
export function busyEngagements(
  registry: Pick<Registry, 'openEngagements' | 'drains' | 'grounds'>,
  inFlight: Pick<InFlight, 'subjects'>,
): readonly string[] | null {
  const subjects = inFlight.subjects();
  if (subjects === null) return null;
  const busy = new Set(registry.drains().map(({ id }) => id));
  if (subjects.length > 0) {
    const open = new Engagements();
    for (const engagement of registry.openEngagements()) open.open(engagement);
    const { critical } = registry.grounds;
    for (const subject of subjects) {
      open.visitMatching(subject, ({ id, mode }) => {
        if (modeStops(mode, subject, critical)) busy.add(id);
      });
    }
  }
  return busy.size > MAX_BUSY ? null : [...busy].toSorted();
}
