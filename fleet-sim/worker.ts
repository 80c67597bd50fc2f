import type { ClaimedTask, Clock, Runtime, TaskState } from '../src/index.ts';
import { workThrough } from './agent.ts';
import type { AgentTools } from './agent-tools.ts';
import { Arrivals } from './arrivals.ts';
import { ClaimWork } from './claim-work.ts';
import { Claimant } from './claimant.ts';
import { settleClaim } from './settle.ts';
import type { WorldClient } from './world-client.ts';

export interface WorkerOptions {
  readonly agents: number;
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly world: Pick<WorldClient, 'nextWork' | 'sendEffect' | 'spawn' | 'close'>;
  readonly payload: AgentTools['payload'];
  readonly signalOf: AgentTools['signalOf'];
  /** What a mutant makes of its agents' tools. */
  readonly bendTools: (genuine: AgentTools) => AgentTools;
  readonly log: (line: string) => void;
}

/** What abandoned calls may take to be written down as unknown. */
const ABANDON_MS = 500;

/** One worker process: takes work from the world, queues it through the fence, claims it, and lets its agents do it. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #arrivals: Arrivals;
  readonly #claimant: Claimant;
  readonly #tools: AgentTools;
  readonly #stopping = new AbortController();
  readonly #abandoned = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { agents, clock, runtime, world, payload, signalOf, bendTools, log } = options;
    const { gate, intake, claims, decider } = runtime;
    const stopping = this.#stopping.signal;
    this.#tools = bendTools({ gate, intake, world, clock, payload, signalOf, stopping });
    this.#claimant = new Claimant({
      agents,
      claims,
      decider,
      clock,
      stopping,
      begin: (task) => this.#workOn(task),
      log,
    });
    const queued = (): void => this.#claimant.poke();
    this.#arrivals = new Arrivals({ world, intake, clock, stopping, queued, log });
  }

  /** Starts polling and claiming; resolves once the world has been asked for work. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#loops = Promise.all([this.#arrivals.run(resolve), this.#claimant.run()]);
    });
  }

  /**
   * Ends it: nothing new begins, tasks are given back as soon as the effect that is under way has ended. After `withinMs`
   * the calls that are still out are cut off, and written down as unknown.
   */
  async stop(withinMs: number): Promise<void> {
    this.#stopping.abort();
    if (await this.#ended(withinMs)) return;
    this.#options.world.close();
    await this.#ended(ABANDON_MS);
    this.#abandoned.abort();
  }

  /** Whether all loops have ended in time. */
  #ended(withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(withinMs, () => resolve(false));
      void this.#loops.then(() => {
        cancel();
        resolve(true);
      });
    });
  }

  async #workOn(task: ClaimedTask): Promise<TaskState | null> {
    const { runtime, clock, log } = this.#options;
    const work = new ClaimWork(task);
    try {
      const end = await workThrough(work, this.#tools);
      if (end.kind === 'failed' || end.kind === 'unknown') log(`task ${task.id}: ${end.kind}, ${end.why}`);
      const { tasks, outcomes } = runtime;
      return await settleClaim(work, end, { tasks, outcomes, clock, abandoned: this.#abandoned.signal });
    } catch (error) {
      log(`task ${task.id} was left to its claim's end: ${String(error)}`);
      return null;
    } finally {
      runtime.claims.release(task);
    }
  }
}
