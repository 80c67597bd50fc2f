import { KilldrillError } from '../../src/errors.ts';
import type { ConnectTarget, Proxy, startProxy } from '../environment/proxy.ts';
import type { WorkerPlane } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import { endProcesses } from './end-processes.ts';
import { endLeftBehind } from './left-behind.ts';
import { untilReady } from './ready.ts';
import { openWorkerPlanes } from './worker-planes.ts';
import type { DetectingFleet, WorkerPlanes } from './worker-planes.ts';
import { WorkerProcess } from './worker-process.ts';

/** A worker's channel to the world, as far as the fleet needs it. */
export interface WorldChannel {
  readonly id: number;
  readonly url: string;
}

export interface FleetOptions {
  readonly command: readonly string[];
  readonly workers: readonly string[];
  /** Variables of the fleet contract that are the same for all workers, and whatever the process needs to start. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly history: HistorySink;
  /** Null for a fleet without a store of ours. */
  readonly postgres: ConnectTarget | null;
  /** The store's URL as this worker reaches it on the given port. */
  readonly storeUrl: (port: number) => string;
  readonly openChannel: (worker: string) => Promise<WorldChannel>;
  /** Called with each process started, for the guardian. */
  readonly onSpawned: (pid: number) => void;
  /** Null for a fleet without detectors. */
  readonly detecting: DetectingFleet | null;
  /** The file that a worker reads how far its wall clock is off from; null for a fleet that has no such seam. */
  readonly clockFile: ((worker: string) => string) | null;
  /** Makes the proxies of the planes; a test hands in one that does nothing, to see that its faults are missed. */
  readonly startProxy: typeof startProxy;
}

interface Member {
  readonly worker: string;
  readonly planes: WorkerPlanes;
  process: WorkerProcess | null;
}

/** Of the simulated fleet alone, and no part of the fleet contract; fleet-sim/drilled-clock.ts reads it. */
const CLOCK_VARIABLE = 'KILLDRILL_SIM_CLOCK';

/** The fleet under drill: one command, started once a worker, each worker behind proxies of its own. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #members = new Map<string, Member>();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /**
   * Starts all workers at once and waits until each has said `ready`.
   *
   * @throws KilldrillError `FLEET_NOT_READY` naming the workers that were not within 20 s, or as soon as one has ended,
   * with what they complained of.
   */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.workers.map((worker) => this.#admit(worker)));
    await Promise.all(this.#options.workers.map((worker) => this.spawn(worker)));
    await untilReady(this.processes(), { all: 'the fleet', one: 'worker' }, signal);
  }

  processes(): readonly WorkerProcess[] {
    return [...this.#members.values()].flatMap(({ process: one }) => (one === null ? [] : [one]));
  }

  /** Starts a new incarnation of a worker, with a channel of its own. */
  async spawn(worker: string): Promise<WorkerProcess> {
    const member = this.#member(worker);
    const { command, environment, cwd, history, storeUrl, openChannel, onSpawned, detecting, clockFile } =
      this.#options;
    const channel = await openChannel(worker);
    const started = new WorkerProcess({
      worker,
      channel: channel.id,
      command,
      cwd,
      history,
      heard: detecting?.said ?? null,
      environment: {
        ...environment,
        ...member.planes.alerts?.variables,
        KILLDRILL_WORKER: worker,
        KILLDRILL_WORLD_URL: channel.url,
        ...storeVariables(member.planes, storeUrl),
        ...(clockFile === null ? {} : { [CLOCK_VARIABLE]: clockFile(worker) }),
      },
    });
    member.process = started;
    if (started.pid > 0) onSpawned(started.pid);
    return started;
  }

  /** The living process of a worker. @throws KilldrillError `WORKER_GONE` */
  process(worker: string): WorkerProcess {
    const { process: one } = this.#member(worker);
    if (one !== null && !one.hasExited) return one;
    throw new KilldrillError('WORKER_GONE', `${worker} is not running, so nothing can be done to it`);
  }

  /** @throws KilldrillError `CLOCK_OUT_OF_REACH` for a fleet whose clock cannot be set off */
  clockFile(worker: string): string {
    const { clockFile } = this.#options;
    if (clockFile !== null) return clockFile(worker);
    const message = `the clock of ${worker} cannot be set off: only the simulated fleet has a seam for that; take the clock fault out of the scenario`;
    throw new KilldrillError('CLOCK_OUT_OF_REACH', message);
  }

  /** @throws KilldrillError `PLANE_OUT_OF_REACH` for the alerts of brokers that are not ours, or of a fleet without detectors */
  proxy(worker: string, plane: WorkerPlane): Proxy {
    const { planes } = this.#member(worker);
    const own = plane === 'alerts' ? null : planes[plane];
    if (own !== null) return own;
    if (plane !== 'alerts') {
      const message = `the ${plane} plane of ${worker} cannot be hit: a fleet with a switch of its own has no store of ours; take the fault out`;
      throw new KilldrillError('PLANE_OUT_OF_REACH', message);
    }
    const proxy = planes.alerts?.proxy ?? null;
    if (proxy !== null) return proxy;
    const why =
      planes.alerts === null
        ? 'the fleet has no detectors; add fleet.detectors'
        : "Kafka's own brokers tell clients where to connect to, past any proxy; take the fault out, or choose --environment local or containers";
    throw new KilldrillError('PLANE_OUT_OF_REACH', `the alerts plane of ${worker} cannot be hit: ${why}`);
  }

  /**
   * SIGTERM to all, a wait of at most `byeMs`, SIGKILL to the rest, and to what they have left behind; names those that had to
   * be forced.
   */
  async stop(byeMs: number): Promise<readonly string[]> {
    const { history, environment } = this.#options;
    const forced = await endProcesses(this.processes(), byeMs);
    for (const worker of forced) history.append({ type: 'worker.forced', worker, afterMs: byeMs });
    for (const one of await endLeftBehind(environment)) history.append({ type: 'worker.leftBehind', ...one });
    return forced;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members.values()].map(({ planes }) => planes.close()));
  }

  async #admit(worker: string): Promise<void> {
    this.#members.set(worker, { worker, planes: await openWorkerPlanes(worker, this.#options), process: null });
  }

  #member(worker: string): Member {
    const member = this.#members.get(worker);
    if (member !== undefined) return member;
    const known = [...this.#members.keys()].join(', ');
    throw new KilldrillError('WORKER_UNKNOWN', `there is no worker '${worker}'; the fleet has ${known}`);
  }
}

function storeVariables({ registry, work }: WorkerPlanes, url: (port: number) => string): Record<string, string> {
  if (registry === null || work === null) return {};
  return { KILLDRILL_REGISTRY_URL: url(registry.port), KILLDRILL_DATABASE_URL: url(work.port) };
}
