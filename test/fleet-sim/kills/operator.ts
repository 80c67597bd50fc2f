import { randomUUID } from 'node:crypto';
import { KilldrillError } from '../../../src/errors.ts';
import type { ResumeWhich } from '../../../src/store/store.ts';
import type { Scope, StopFlip } from '../../../src/switch.ts';
import type { Prng } from '../../../harness/traffic/prng.ts';
import type { StoreHandles } from '../../src/store/contract/world.ts';
import { below, pick } from '../../src/store/postgres/queue-storm.ts';
import { SOMEBODY, releaseText, stopText } from '../../src/store/samples.ts';
import { AGENTS, FEATURES, TENANTS } from './draw-runs.ts';

/** More stops than this at once leave nothing to be killed. */
const OPEN_AT_MOST = 3;

/** Stops, releases and resumes by the stores that an operator uses, drawn from a seed. */
export class Operator {
  readonly #namespace: string;
  readonly #store: StoreHandles;
  readonly #prng: Prng;
  readonly #drawRun: () => string;
  readonly #open = new Set<string>();
  /** Tasks that resumes have brought back, by their answers. */
  resumed = 0;
  /** What it did, for the report. */
  readonly did = new Map<string, number>();

  constructor(parts: {
    readonly namespace: string;
    readonly store: StoreHandles;
    readonly prng: Prng;
    /** A run that is worth a stop of its own. */
    readonly drawRun: () => string;
  }) {
    this.#namespace = parts.namespace;
    this.#store = parts.store;
    this.#prng = parts.prng;
    this.#drawRun = parts.drawRun;
  }

  /** One action, whichever is drawn. */
  async act(): Promise<void> {
    const wish = this.#prng.uniform();
    if (wish < 0.25)
      await this.resume(pick(this.#prng, [{ kind: 'all' }, { kind: 'tenant', tenant: pick(this.#prng, TENANTS) }]));
    else if (this.#open.size === 0 || (wish < 0.6 && this.#open.size < OPEN_AT_MOST)) await this.stop(this.#draw());
    else await this.#releaseOne();
  }

  async stop(what: Partial<StopFlip>): Promise<string> {
    const id = randomUUID();
    await this.#store.control.flip(stopText(this.#namespace, { id, ...what }), null);
    this.#open.add(id);
    this.#count(`stop ${what.mode === 'halt_noncritical' ? 'noncritical' : (what.queue ?? 'discard')}`);
    return id;
  }

  async release(id: string): Promise<void> {
    await this.#store.control.flip(releaseText(this.#namespace, [id]), null);
    this.#open.delete(id);
    this.#count('release');
  }

  async releaseAll(): Promise<void> {
    for (const id of [...this.#open]) await this.release(id);
  }

  /** Runs that have nothing to resume by now are no matter. */
  async resume(which: ResumeWhich): Promise<void> {
    try {
      const { tasks } = await this.#store.operator.resume(which, { kind: 'at-once' }, SOMEBODY);
      this.resumed += tasks;
      this.#count('resume');
    } catch (error) {
      if (!(error instanceof KilldrillError && error.code === 'RUN_NOT_STOPPED')) throw error;
    }
  }

  async #releaseOne(): Promise<void> {
    await this.release(pick(this.#prng, [...this.#open]));
  }

  #draw(): Partial<StopFlip> {
    const [scope, target] = pick<() => readonly [Scope, string]>(this.#prng, [
      () => ['global', '*'],
      () => ['tenant', pick(this.#prng, TENANTS)],
      () => ['tenant', pick(this.#prng, TENANTS)],
      () => ['feature', pick(this.#prng, FEATURES)],
      () => ['agent', pick(this.#prng, AGENTS)],
      () => ['run', this.#drawRun()],
      () => ['capability', pick(this.#prng, ['write/*', 'model/chat', 'webhook/*', 'agent/spawn'])],
    ])();
    const how = pick<Partial<StopFlip>>(this.#prng, [
      ...([{ queue: 'discard' }, { queue: 'discard' }, { queue: 'park' }, { queue: 'park' }] as const),
      ...([
        { queue: 'drain', drainMs: 50 + below(this.#prng, 500) },
        { mode: 'halt_noncritical', queue: 'park' },
      ] as const),
      { mode: 'emergency', queue: 'park' },
    ]);
    return { scope, target, ...how };
  }

  #count(what: string): void {
    this.did.set(what, (this.did.get(what) ?? 0) + 1);
  }
}
