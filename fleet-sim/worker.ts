import { HaltedError } from '../src/index.ts';
import type { ClaimedTask, Clock, Runtime, TaskEnd } from '../src/index.ts';
import { workThrough } from './agent.ts';
import type { AgentTools } from './agent.ts';
import type { WorkItem, WorldClient } from './world-client.ts';

export interface WorkerOptions {
  readonly incarnation: string;
  readonly agents: number;
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly world: WorldClient;
  readonly tools: AgentTools;
  readonly log: (line: string) => void;
}

const CLAIM_MS = 120_000;
const CLAIM_POLL_MS = 200;
const CLAIM_AT_MOST = 16;
const MAX_ARRIVING = 512;
const RETRY_MS = 50;
const FINISH_GIVE_UP_MS = 60_000;

/** One worker process: takes work from the world, queues it through the fence, claims it, and lets its agents do it. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #arriving = 0;
  #wakeClaims: (() => void) | null = null;
  #claimsWanted = false;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Starts polling and claiming; resolves once the world has been asked for work. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#loops = Promise.all([this.#poll(resolve), this.#claim()]);
    });
  }

  /** Takes no new work, and waits for what runs, at most `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping.abort();
    this.#wakeClaims?.();
    await Promise.race([Promise.all([this.#loops, ...this.#running]), this.#sleep(withinMs)]);
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #poll(onAsked: () => void): Promise<void> {
    while (!this.#stopped) {
      try {
        const work = await this.#options.world.nextWork(this.#stopping.signal, onAsked);
        if (work !== null) this.#arrived(work);
        while (this.#arriving >= MAX_ARRIVING && !this.#stopped) await this.#sleep(RETRY_MS);
      } catch (error) {
        if (this.#stopped) return;
        this.#options.log(`asking for work failed: ${String(error)}`);
        await this.#sleep(RETRY_MS);
      }
    }
  }

  #arrived(work: WorkItem): void {
    this.#arriving += 1;
    const queued = this.#enqueue(work)
      .catch((error: unknown) => this.#options.log(`run ${work.run} was not queued: ${String(error)}`))
      .finally(() => {
        this.#arriving -= 1;
        this.#running.delete(queued);
      });
    this.#running.add(queued);
  }

  /** A refusal by an operator's stop ends the run here; while unverified, the worker keeps it and asks again. */
  async #enqueue({ run, tenant, feature, agent, plan }: WorkItem): Promise<void> {
    const task = { id: run, kind: 'run', run, tenant, feature, agent, lineage: [], plan } as const;
    while (!this.#stopped) {
      try {
        await this.#options.runtime.intake.enqueue(task);
        this.#pokeClaims();
        return;
      } catch (error) {
        if (!(error instanceof HaltedError)) throw error;
        if (error.kind === 'operator') return;
        await this.#sleep(RETRY_MS);
      }
    }
  }

  #pokeClaims(): void {
    this.#claimsWanted = true;
    this.#wakeClaims?.();
  }

  async #claim(): Promise<void> {
    while (!this.#stopped) {
      const free = Math.min(CLAIM_AT_MOST, this.#options.agents - this.#busy());
      this.#claimsWanted = false;
      const claimed = free > 0 ? await this.#claimSome(free) : [];
      for (const task of claimed) this.#begin(task);
      if (claimed.length < free || free <= 0) await this.#claimsWake();
    }
  }

  #busyAgents = 0;

  #busy(): number {
    return this.#busyAgents;
  }

  async #claimSome(limit: number): Promise<readonly ClaimedTask[]> {
    try {
      return await this.#options.runtime.tasks.claim(this.#options.incarnation, limit, CLAIM_MS);
    } catch (error) {
      this.#options.log(`claiming failed: ${String(error)}`);
      return [];
    }
  }

  #claimsWake(): Promise<void> {
    if (this.#claimsWanted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#wakeClaims = null;
        resolve();
      };
      const cancel = this.#options.clock.after(CLAIM_POLL_MS, wake);
      this.#wakeClaims = wake;
    });
  }

  #begin(task: ClaimedTask): void {
    this.#busyAgents += 1;
    const running = workThrough(task, this.#options.tools)
      .then((end) => this.#finish(task, end))
      .catch((error: unknown) => this.#options.log(`run ${task.run}: ${String(error)}`))
      .finally(() => {
        this.#busyAgents -= 1;
        this.#running.delete(running);
        this.#pokeClaims();
      });
    this.#running.add(running);
  }

  /** Writes the run's end, again and again while the store is away; the claim's token makes that safe. */
  async #finish(task: ClaimedTask, end: TaskEnd): Promise<void> {
    const { clock, runtime } = this.#options;
    const giveUpMs = clock.monotonicMs() + FINISH_GIVE_UP_MS;
    for (;;) {
      try {
        await runtime.tasks.finish({ task: task.id, token: task.token }, end);
        return;
      } catch (error) {
        if (clock.monotonicMs() >= giveUpMs || this.#stopped) throw error;
        await this.#sleep(RETRY_MS);
      }
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(ms, resolve);
    });
  }
}
