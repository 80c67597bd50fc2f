import { HaltedError } from '../src/index.ts';
import type { Clock, Runtime } from '../src/index.ts';
import type { WorkItem, WorldClient } from './world-client.ts';

export interface ArrivalOptions {
  readonly world: Pick<WorldClient, 'nextWork'>;
  readonly intake: Pick<Runtime['intake'], 'enqueue'>;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
  /** Something may be claimed. */
  readonly queued: () => void;
  readonly log: (line: string) => void;
}

const MAX_ARRIVING = 512;
const AGAIN_MS = 50;

/** Takes runs from the world and queues them, through the fence. */
export class Arrivals {
  readonly #options: ArrivalOptions;
  readonly #arriving = new Set<Promise<void>>();

  constructor(options: ArrivalOptions) {
    this.#options = options;
  }

  /** Polls until the worker is to end, and ends with what has arrived by then; `onAsked` is called once a poll has left. */
  async run(onAsked: () => void): Promise<void> {
    const { world, stopping, log } = this.#options;
    while (!stopping.aborted) {
      try {
        const work = await world.nextWork(stopping, onAsked);
        if (work !== null) this.#arrived(work);
        while (this.#arriving.size >= MAX_ARRIVING && !stopping.aborted) await this.#sleep();
      } catch (error) {
        if (stopping.aborted) break;
        log(`asking for work failed: ${String(error)}`);
        await this.#sleep();
      }
    }
    await Promise.all(this.#arriving);
  }

  #arrived(work: WorkItem): void {
    const { log } = this.#options;
    const queued = this.#enqueue(work)
      .catch((error: unknown) => log(`run ${work.run} was not queued: ${String(error)}`))
      .finally(() => this.#arriving.delete(queued));
    this.#arriving.add(queued);
  }

  /** A refusal by an operator's stop ends the run here; while unverified, the worker keeps it and asks again. */
  async #enqueue({ run, tenant, feature, agent, plan, startAfterMs }: WorkItem): Promise<void> {
    const { intake, stopping, queued } = this.#options;
    const due = startAfterMs === undefined ? ({ kind: 'now' } as const) : ({ kind: 'in', ms: startAfterMs } as const);
    const who = { id: run, run, tenant, feature, agent, lineage: [] };
    for (;;) {
      try {
        await intake.enqueue({ ...who, kind: 'run', capability: null, plan, due, pastDue: 'fire', repeat: null });
        queued();
        return;
      } catch (error) {
        if (!(error instanceof HaltedError)) throw error;
        if (error.kind === 'operator') return;
        if (stopping.aborted) throw error;
        await this.#sleep();
      }
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(AGAIN_MS, resolve);
    });
  }
}
