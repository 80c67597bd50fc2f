import { KilldrillError } from '../../src/errors.ts';
import { DRILL_TIMES } from '../drill/drill.ts';
import { findFreePorts } from '../environment/free-ports.ts';
import type { ConnectTarget, Proxy, startProxy } from '../environment/proxy.ts';
import { waitUntil } from '../environment/wait.ts';
import type { ApiPlane } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import { ApiProcess } from './api-process.ts';
import { endProcesses } from './end-processes.ts';
import { whyNotReady } from './ready.ts';

export interface DrilledApiOptions {
  /** The command without its port: that is the same for all its lives, and found at the start. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly history: HistorySink;
  readonly postgres: ConnectTarget;
  /** The store's URL as the API reaches it on the given port, with the flipper's rights. */
  readonly storeUrl: (port: number) => string;
  /** Called with each process started, for the guardian. */
  readonly onSpawned: (pid: number) => void;
  /** Makes the proxies of the planes. */
  readonly startProxy: typeof startProxy;
}

interface Planes extends Readonly<Record<ApiPlane, Proxy>> {
  readonly port: number;
}

const HOST = '127.0.0.1';
const LOOK_MS = 20;
const PROBE_MS = 1_000;

/** The control API under drill: a process that comes back on the same port and the same spool, behind proxies of its own. */
export class DrilledApi {
  readonly #options: DrilledApiOptions;
  #planes: Planes | null = null;
  #process: ApiProcess | null = null;

  constructor(options: DrilledApiOptions) {
    this.#options = options;
  }

  /**
   * Starts it, and waits until it has loaded the store's flips: the first stop of a drill is not to pay for that.
   *
   * @throws KilldrillError `FLEET_NOT_READY` with what it complained of
   */
  async start(signal: AbortSignal): Promise<void> {
    const { startProxy: start, postgres } = this.#options;
    const [port = 0] = await findFreePorts(1);
    const [registry, control] = await Promise.all([
      start({ target: postgres }),
      start({ target: { host: HOST, port } }),
    ]);
    this.#planes = { port, registry, control };
    const process = await this.spawn();
    const settled = async (): Promise<boolean> =>
      (process.hasExited && process.isHeardOut) || (process.isReady && (await isLoaded(port)));
    const isSettled = await waitUntil(settled, { boundMs: DRILL_TIMES.readyMs, everyMs: LOOK_MS, signal });
    if (isSettled && !process.hasExited) return;
    const why = process.isReady ? 'takes requests, and has not loaded its store' : whyNotReady(process);
    throw new KilldrillError(
      'FLEET_NOT_READY',
      `the drill's control API did not get ready within ${DRILL_TIMES.readyMs / 1_000} s: api ${why}`,
    );
  }

  /** Where the operator reaches it: through its control plane. */
  get url(): string {
    return `http://${HOST}:${this.#there().control.port}`;
  }

  /** Starts a new life of it; whether it gets ready is for the caller to see. */
  spawn(): Promise<ApiProcess> {
    const { command, environment, cwd, history, storeUrl, onSpawned } = this.#options;
    const { port, registry } = this.#there();
    const started = new ApiProcess({
      command: [...command, '--port', String(port)],
      environment: { ...environment, KILLDRILL_DATABASE_URL: storeUrl(registry.port) },
      cwd,
      history,
    });
    this.#process = started;
    if (started.pid > 0) onSpawned(started.pid);
    return Promise.resolve(started);
  }

  /** The living process. @throws KilldrillError `API_GONE` */
  process(): ApiProcess {
    if (this.#process !== null && !this.#process.hasExited) return this.#process;
    throw new KilldrillError('API_GONE', 'the API is not running, so nothing can be done to it');
  }

  proxy(plane: ApiPlane): Proxy {
    return this.#there()[plane];
  }

  /** SIGTERM, a wait of at most `byeMs`, SIGKILL. */
  async stop(byeMs: number): Promise<void> {
    if (this.#process !== null) await endProcesses([this.#process], byeMs);
  }

  /** Closes the proxies. */
  async close(): Promise<void> {
    if (this.#planes !== null) await Promise.all([this.#planes.registry.close(), this.#planes.control.close()]);
  }

  #there(): Planes {
    if (this.#planes !== null) return this.#planes;
    throw new KilldrillError('API_GONE', 'the API of this drill was not started yet');
  }
}

/** By its own word, at its own port: no fault is at work yet. */
async function isLoaded(port: number): Promise<boolean> {
  const asked = fetch(`http://${HOST}:${port}/readyz`, { signal: AbortSignal.timeout(PROBE_MS) });
  return asked.then(
    ({ ok }) => ok,
    () => false,
  );
}
