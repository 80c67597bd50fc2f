import { startDrillClock } from '../../../harness/history/clock.ts';
import type { Prng } from '../../../harness/traffic/prng.ts';
import { TRACE_VERSION } from '../../../harness/traffic/trace.ts';
import type { TraceRun } from '../../../harness/traffic/trace.ts';
import { startLoopWatch } from '../../../harness/world/loop-watch.ts';
import { startWorld } from '../../../harness/world/world.ts';
import type { World } from '../../../harness/world/world.ts';
import { Recorded } from '../../harness/world/world-client.ts';
import { pick } from '../../src/store/postgres/queue-storm.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { WorkerProcess } from '../worker-process.ts';
import { until } from './until.ts';

/** Fewer that are ready, and a kill would hit nobody who works. */
const READY_AT_LEAST = 2;
const READY_MS = 30_000;

/** Worker processes over the harness's own world, in which what was sent lands although its sender is gone. */
export class KilledFleet {
  readonly #world: World;
  readonly #history: Recorded;
  readonly #loop: { close(): void };
  readonly #start: (name: string) => Promise<WorkerProcess>;
  readonly #workers = new Map<string, WorkerProcess>();
  readonly #dead: string[] = [];
  #names = 0;

  constructor(
    runs: readonly TraceRun[],
    { database, namespace, command }: { database: PreparedDatabase; namespace: string; command: readonly string[] },
  ) {
    const clock = startDrillClock();
    this.#history = new Recorded(clock);
    const [history, loop] = [this.#history, startLoopWatch({ clock, history: this.#history })];
    this.#loop = loop;
    const trace = { header: { version: TRACE_VERSION, seed: 0, generator: {} }, runs } as const;
    this.#world = startWorld({ trace, clock, history, loop, downstream: { landsAfterAbort: true } });
    this.#start = async (name) => {
      const { url } = await this.#world.openChannel(name);
      const environment = { KILLDRILL_WORKER: name, KILLDRILL_LEASE_MS: '5000' };
      return new WorkerProcess(database, namespace, url, environment, command);
    };
  }

  /** Names of the workers that were killed. */
  get dead(): readonly string[] {
    return this.#dead;
  }

  /** What the world has seen: keys of the calls that it did not refuse, and those that landed. */
  seen(): {
    readonly accepted: readonly string[];
    readonly landed: ReadonlySet<string>;
    readonly unattributed: number;
  } {
    const numbers = (type: 'effect.failed' | 'effect.landed') =>
      new Set(this.#history.of(type).map(({ effect }) => effect));
    const [failed, landed] = [numbers('effect.failed'), numbers('effect.landed')];
    const arrived = this.#history.of('effect.arrived');
    return {
      accepted: arrived.filter(({ effect }) => !failed.has(effect)).map(({ key }) => key),
      landed: new Set(arrived.filter(({ effect }) => landed.has(effect)).map(({ key }) => key)),
      unattributed: this.#world.counts().unattributed,
    };
  }

  async add(): Promise<void> {
    this.#names += 1;
    const name = `w${this.#names}`;
    this.#workers.set(name, await this.#start(name));
  }

  /** Kills one that is ready, as soon as enough are, and starts another in its place. */
  async killOne(prng: Prng): Promise<void> {
    await until(READY_MS, () => {
      const ready = this.#ready().length;
      return Promise.resolve(ready >= READY_AT_LEAST ? null : `${ready} workers are ready`);
    });
    const name = pick(prng, this.#ready());
    await this.#end(name);
    await this.add();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers.keys()].map((name) => this.#end(name)));
    this.#loop.close();
    await this.#world.close();
  }

  async #end(name: string): Promise<void> {
    const worker = this.#workers.get(name);
    this.#workers.delete(name);
    worker?.signal('SIGKILL');
    this.#dead.push(name);
    await worker?.ended();
  }

  #ready(): readonly string[] {
    return [...this.#workers]
      .filter(([, { said }]) => said.some(({ event }) => event === 'ready'))
      .map(([name]) => name);
  }
}
