import { KilldrillError } from '../errors.ts';
import type { QueueCount, TaskQueue } from '../store/store.ts';
import { within } from '../within.ts';
import { takeDown } from './emergency-facts.ts';
import type { EmergencyFacts, EmergencySources } from './emergency-facts.ts';
import { tellHooks } from './emergency-hooks.ts';
import type { EmergencyHook, HookResult } from './emergency-hooks.ts';
import { writeSnapshot } from './snapshot-folder.ts';
import { reportTo } from '../report-to.ts';

export interface EmergencyOptions {
  /** Where snapshots are written; made if it is missing. Null for none. Default null. */
  readonly folder?: string | null;
  /** How many snapshots of this worker stay. Default 20. */
  readonly keep?: number;
  /** Who is told. Default nobody. */
  readonly hooks?: readonly EmergencyHook[];
  /** How long each hook may take, and each part of the snapshot, milliseconds. Default 2,000. */
  readonly boundMs?: number;
}

/** What was done about one emergency. */
export interface EmergencyResult {
  /** Null while the store has not said. */
  readonly revision: number | null;
  /** The snapshot's path; null when there is none. */
  readonly snapshot: string | null;
  readonly hooks: readonly HookResult[];
}

interface EmergencyParts extends EmergencySources {
  readonly tasks: Pick<TaskQueue, 'counts'>;
  readonly options: EmergencyOptions;
  readonly onEmergency?: (result: EmergencyResult) => void;
  readonly onError?: (error: Error) => void;
}

const DEFAULT_KEEP = 20;
const DEFAULT_BOUND_MS = 2_000;
/** Results that are remembered. */
const MAX_RESULTS = 100;

/**
 * What an engagement in mode `emergency` asks for besides the stop: a snapshot of this process, and hooks that are told.
 *
 * Call `look` after the aborts, in their tick: the picture is taken there and then; all the rest comes later, bounded in
 * time, and nothing of it can hurt the stop. What was in force before this process had its first picture of the flips is
 * no occasion: there was nothing here to take down.
 */
export class EmergencyResponse {
  readonly #parts: EmergencyParts;
  /** Engagements that were responded to, for as long as they are open. */
  #known = new Set<string>();
  #loaded = false;
  #results: readonly EmergencyResult[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #report: (error: unknown) => void;

  constructor(parts: EmergencyParts) {
    this.#parts = parts;
    this.#report = reportTo(parts.onError);
  }

  /** The latest results, oldest first. */
  results(): readonly EmergencyResult[] {
    return this.#results;
  }

  /** Looks for emergencies that are new in the registry. Never throws. */
  look(): void {
    const { registry } = this.#parts;
    const open = registry.openEngagements().filter(({ mode }) => mode === 'emergency');
    const isFirstLoad = !this.#loaded && registry.head !== null;
    this.#loaded ||= isFirstLoad;
    const fresh = open.filter(({ id }) => !this.#known.has(id));
    this.#known = new Set(open.map(({ id }) => id));
    if (!isFirstLoad) for (const { id } of fresh) this.#respond(id);
  }

  /** Resolves once nothing is under way. Each emergency takes at most three times `boundMs`. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #respond(engagement: string): void {
    try {
      const factsWith = takeDown(this.#parts, engagement);
      const work = this.#handle(factsWith)
        .catch((error: unknown) => this.#report(error))
        .finally(() => this.#underWay.delete(work));
      this.#underWay.add(work);
    } catch (error) {
      this.#report(error);
    }
  }

  async #handle(factsWith: (queue: readonly QueueCount[] | null) => EmergencyFacts): Promise<void> {
    const { clock, options } = this.#parts;
    const { hooks = [], boundMs = DEFAULT_BOUND_MS } = options;
    const facts = factsWith(await this.#counts(boundMs));
    const snapshot = await this.#snapshot(facts, boundMs);
    const told = await tellHooks(hooks, { ...facts, snapshot }, { clock, boundMs });
    const result = { revision: facts.revision, snapshot, hooks: told };
    this.#results = [...this.#results, result].slice(-MAX_RESULTS);
    this.#parts.onEmergency?.(result);
  }

  async #counts(boundMs: number): Promise<readonly QueueCount[] | null> {
    const { clock, tasks } = this.#parts;
    const late = (): Error =>
      new KilldrillError('COUNTS_LATE', `the store did not count its tasks within ${boundMs} ms`);
    try {
      return await within(clock, boundMs, tasks.counts(), late);
    } catch (error) {
      this.#report(error);
      return null;
    }
  }

  async #snapshot(facts: EmergencyFacts, boundMs: number): Promise<string | null> {
    const { clock, options } = this.#parts;
    const { folder = null, keep = DEFAULT_KEEP } = options;
    if (folder === null) return null;
    const late = (): Error =>
      new KilldrillError(
        'SNAPSHOT_UNWRITTEN',
        `the emergency snapshot was not written to ${folder} within ${boundMs} ms`,
      );
    try {
      return await within(clock, boundMs, writeSnapshot(folder, keep, facts), late);
    } catch (error) {
      this.#report(error);
      return null;
    }
  }
}
