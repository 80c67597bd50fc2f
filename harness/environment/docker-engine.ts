import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { ContainerRuntimeClient } from 'testcontainers';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { lookUpProcess } from './process-table.ts';

/** A Docker engine, by way of testcontainers: it knows where engines are found (DOCKER_HOST, contexts, rootless, Podman). */
export type DockerEngine = ContainerRuntimeClient;

/** Labels of everything that a drill makes on an engine. */
export const DRILL_LABEL = 'killdrill.drill';
const HARNESS_LABEL = 'killdrill.harness';

/** An engine that accepts and says nothing, as one that is suspended does, is as good as none. */
const CONNECT_BOUND_MS = 10_000;
/** What is asked later has an end too: longer than an engine is silent over a download or a stop. */
const SILENCE_BOUND_MS = 60_000;

/**
 * @param boundMs how long the engine may take to answer; 10 s by default.
 * @throws KilldrillError `DOCKER_MISSING`, with what to do about it.
 */
export async function connectDocker(boundMs = CONNECT_BOUND_MS): Promise<DockerEngine> {
  try {
    // only here: it takes a while to load, and the other environments do without
    const { getContainerRuntimeClient } = await import('testcontainers');
    const engine = await within(boundMs, getContainerRuntimeClient());
    Object.assign(engine.container.dockerode.modem as object, { timeout: SILENCE_BOUND_MS });
    return engine;
  } catch (cause) {
    const message = `no Docker engine answers (${firstLine(messageOf(cause))}); start Docker, or set DOCKER_HOST to where it listens`;
    throw new KilldrillError('DOCKER_MISSING', message, { cause });
  }
}

async function within<T>(boundMs: number, answer: Promise<T>): Promise<T> {
  const over = new AbortController();
  const silence = pause(boundMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`one was reached, and said nothing within ${boundMs} ms`);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    over.abort();
    void silence.catch(() => undefined);
  }
}

/**
 * Sees to it that these images are here already, for whoever must not download any.
 *
 * @throws KilldrillError `IMAGE_MISSING` naming the first that is not.
 */
export async function requireImages({ container }: DockerEngine, images: readonly string[]): Promise<void> {
  for (const image of images) {
    try {
      await container.dockerode.getImage(image).inspect();
    } catch (cause) {
      const { statusCode } = cause as { readonly statusCode?: number };
      if (statusCode !== 404) throw cause;
      const message = `the image ${image} is not on this machine; 'docker pull ${image}' fetches it, and so does --environment containers`;
      throw new KilldrillError('IMAGE_MISSING', message, { cause });
    }
  }
}

/** What a container of a drill carries, so that `doctor --recover` knows whether anybody still wants it. */
export function drillLabels(drill: string): Readonly<Record<string, string>> {
  return { [DRILL_LABEL]: drill, [HARNESS_LABEL]: harnessMark(process.pid) };
}

/** Names this very process for ever: host, boot, pid and start. */
export function harnessMark(pid: number): string {
  return [hostname(), boot(), pid, lookUpProcess(pid)?.start ?? ''].join('/');
}

/** Whether the harness of a mark is still at work: unknown when it ran on another host. */
export function isAtWork(mark: string): 'yes' | 'no' | 'unknown' {
  const [host, , pid = ''] = mark.split('/');
  if (host !== hostname() || !/^\d+$/.test(pid)) return 'unknown';
  return mark === harnessMark(Number(pid)) ? 'yes' : 'no';
}

/** A container that a drill made. */
export interface DrillContainer {
  readonly id: string;
  readonly name: string;
  readonly drill: string;
  readonly harness: string;
}

export async function listDrillContainers({ container }: DockerEngine): Promise<readonly DrillContainer[]> {
  const found = await container.dockerode.listContainers({ all: true, filters: { label: [DRILL_LABEL] } });
  return found.map(({ Id, Names, Labels }) => ({
    id: Id,
    name: (Names[0] ?? Id).replace(/^\//, ''),
    drill: Labels[DRILL_LABEL] ?? '',
    harness: Labels[HARNESS_LABEL] ?? '',
  }));
}

/** Removes a container with its volumes, in whatever state it is; one that is gone already is fine. */
export async function removeContainer({ container }: DockerEngine, id: string): Promise<void> {
  try {
    await container.dockerode.getContainer(id).remove({ force: true, v: true });
  } catch (error) {
    const { statusCode } = error as { readonly statusCode?: number };
    if (statusCode === 404) return;
    if (statusCode === 409 && /already in progress/.test(messageOf(error))) return;
    const message = `container ${id} could not be removed: ${messageOf(error)}; 'killdrill doctor --recover' removes it once the engine answers`;
    throw new KilldrillError('CONTAINER_NOT_REMOVED', message, { cause: error });
  }
}

function boot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
