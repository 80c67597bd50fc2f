import { GenericContainer } from 'testcontainers';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { removeContainer } from './docker-engine.ts';
import type { DockerEngine } from './docker-engine.ts';
import type { FaultyServer } from './environment.ts';
import { waitUntil } from './wait.ts';

/** Where a container is made, of what, and how it is found again. */
export interface ContainerOptions extends Pick<ContainerSpec, 'image' | 'name' | 'labels'> {
  readonly engine: DockerEngine;
}

/** What is started as a container. */
export interface ContainerSpec {
  readonly image: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Ports within it that are to be reached from here. */
  readonly ports: readonly number[];
  readonly command?: readonly string[];
}

const READY_BOUND_MS = 120_000;
const READY_LOOK_MS = 100;
const GONE_BOUND_MS = 15_000;
/** An orderly stop; after it the engine kills. */
const STOP_SECONDS = 10;

/** Publishes on the loopback only: testcontainers would open a drill's servers to the whole network. */
class LoopbackContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    const bindings = (this.hostConfig.PortBindings ?? {}) as Record<string, readonly { readonly HostPort?: string }[]>;
    this.hostConfig.PortBindings = Object.fromEntries(
      Object.entries(bindings).map(([port, ways]) => [port, ways.map((way) => ({ ...way, HostIp: '127.0.0.1' }))]),
    );
  }
}

/** A container that is killed and started again as often as a drill wants; its host ports change each time. */
export class ContainerServer implements FaultyServer {
  readonly #engine: DockerEngine;
  readonly #spec: ContainerSpec;
  readonly #isReady: () => Promise<void>;
  #id: string | null = null;
  #ports: ReadonlyMap<number, number> = new Map();
  #queue: Promise<void> = Promise.resolve();

  /** `isReady` rejects as long as the server in it does not answer. */
  constructor(engine: DockerEngine, spec: ContainerSpec, isReady: () => Promise<void>) {
    this.#engine = engine;
    this.#spec = spec;
    this.#isReady = isReady;
  }

  /** Where a port of it is on this machine now; null while it does not run. */
  hostPort(port: number): number | null {
    return this.#ports.get(port) ?? null;
  }

  /** @throws KilldrillError `CONTAINER_NOT_STARTED` */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        if (this.#id === null) this.#id = await this.#create();
        else await this.#startAgain(this.#id);
        await this.#findPorts();
        await this.#untilReady();
      } catch (cause) {
        if (cause instanceof KilldrillError) throw cause;
        throw this.#failed(messageOf(cause), cause);
      }
    });
  }

  kill(): Promise<void> {
    return this.#inTurn(async () => {
      if (await this.#isRunning()) await this.#container().kill({ signal: 'SIGKILL' });
      await this.#untilGone();
    });
  }

  pause(): Promise<void> {
    return this.#inTurn(async () => {
      if (!(await this.#isRunning()))
        throw new KilldrillError(
          'CONTAINER_DOWN',
          `${this.#spec.name} is to be paused but is not running; start it first`,
        );
      await this.#container().pause();
    });
  }

  resume(): Promise<void> {
    return this.#inTurn(() => this.#thaw());
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#thaw();
      if (await this.#isRunning()) await this.#container().stop({ t: STOP_SECONDS });
      await this.#untilGone();
    });
  }

  /** Removes it with its data. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      const id = this.#id;
      this.#ports = new Map();
      if (id !== null) await removeContainer(this.#engine, id);
      this.#id = null;
    });
  }

  async #create(): Promise<string> {
    const { image, name, labels, environment, ports, command } = this.#spec;
    const container = new LoopbackContainer(image)
      .withName(name)
      .withLabels({ ...labels })
      .withEnvironment({ ...environment })
      .withExposedPorts(...ports)
      .withStartupTimeout(READY_BOUND_MS);
    if (command !== undefined) container.withCommand([...command]);
    try {
      return (await container.start()).getId();
    } catch (error) {
      // it may have been made all the same; where the engine is gone, why is in the first error
      await removeContainer(this.#engine, name).catch(() => undefined);
      throw error;
    }
  }

  async #startAgain(id: string): Promise<void> {
    await this.#thaw();
    if (!(await this.#isRunning())) await this.#engine.container.dockerode.getContainer(id).start();
  }

  async #findPorts(): Promise<void> {
    const { NetworkSettings } = await this.#container().inspect();
    const bound = this.#spec.ports.map(
      (port) => [port, Number(NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort)] as const,
    );
    this.#ports = new Map(bound.filter(([, hostPort]) => hostPort > 0));
  }

  async #untilReady(): Promise<void> {
    let why = 'nobody answered';
    const look = async (): Promise<boolean> => {
      try {
        await this.#isReady();
        return true;
      } catch (error) {
        why = messageOf(error);
        return !(await this.#isRunning());
      }
    };
    const settled = await waitUntil(look, { boundMs: READY_BOUND_MS, everyMs: READY_LOOK_MS });
    if (settled && (await this.#isRunning())) return;
    const said = await this.#container().logs({ stdout: true, stderr: true, tail: 12 });
    const found = settled ? 'it ended by itself' : `not ready within ${READY_BOUND_MS} ms (${why})`;
    throw this.#failed(`${found}; it said:\n${said.toString('latin1').replaceAll(/[^\n\x20-\x7e]/g, '')}`, null);
  }

  async #untilGone(): Promise<void> {
    this.#ports = new Map();
    const look = async (): Promise<boolean> => !(await this.#isRunning());
    if (await waitUntil(look, { boundMs: GONE_BOUND_MS, everyMs: 20 })) return;
    throw new KilldrillError(
      'CONTAINER_NOT_GONE',
      `${this.#spec.name} still runs after ${GONE_BOUND_MS} ms; remove it by hand`,
    );
  }

  async #thaw(): Promise<void> {
    if (this.#id !== null && (await this.#container().inspect()).State.Paused) await this.#container().unpause();
  }

  async #isRunning(): Promise<boolean> {
    return this.#id !== null && (await this.#container().inspect()).State.Running;
  }

  #container() {
    if (this.#id !== null) return this.#engine.container.dockerode.getContainer(this.#id);
    throw new KilldrillError('CONTAINER_DOWN', `${this.#spec.name} was never started`);
  }

  #failed(found: string, cause: unknown): KilldrillError {
    const { name, image } = this.#spec;
    const message = `the container ${name} of image ${image} did not start: ${found}`;
    return new KilldrillError('CONTAINER_NOT_STARTED', message, { cause });
  }

  #inTurn(operation: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(operation);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

/** Starts it for the first time and hands out what a drill may do to it; `close` ends it and what belongs to it. */
export async function startForDrill(
  server: ContainerServer,
  close: () => Promise<void>,
): Promise<FaultyServer & { close(): Promise<void> }> {
  try {
    await server.start();
  } catch (error) {
    await close().catch(() => undefined); // what broke first is what is told
    throw error;
  }
  return {
    kill: () => server.kill(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    stop: () => server.stop(),
    start: () => server.start(),
    close,
  };
}
