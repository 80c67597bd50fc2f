import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ContainerRuntimeClient } from 'testcontainers';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { lookUpProcess } from './process-table.ts';

/** A Docker engine, by way of testcontainers: it knows where engines are found (DOCKER_HOST, contexts, rootless, Podman). */
export type DockerEngine = ContainerRuntimeClient;

/** Labels of everything that a drill makes on an engine. */
export const DRILL_LABEL = 'killdrill.drill';
const HARNESS_LABEL = 'killdrill.harness';

/**
 * @throws KilldrillError `DOCKER_MISSING`, with what to do about it.
 */
export async function connectDocker(): Promise<DockerEngine> {
  try {
    // only here: it takes a while to load, and the other environments do without
    const { getContainerRuntimeClient } = await import('testcontainers');
    return await getContainerRuntimeClient();
  } catch (cause) {
    const message = `no Docker engine answers (${firstLine(messageOf(cause))}); start Docker, or set DOCKER_HOST to where it listens`;
    throw new KilldrillError('DOCKER_MISSING', message, { cause });
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
    throw new KilldrillError('CONTAINER_NOT_REMOVED', `container ${id} could not be removed: ${messageOf(error)}`, {
      cause: error,
    });
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
