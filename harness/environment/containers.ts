import { basename } from 'node:path';
import { startContainerKafka } from './container-kafka.ts';
import { startContainerPostgres } from './container-postgres.ts';
import { connectDocker, drillLabels, listDrillContainers, removeContainer, requireImages } from './docker-engine.ts';
import type { DockerEngine } from './docker-engine.ts';
import type { Environment } from './environment.ts';
import { waitUntil } from './wait.ts';

/** Pinned: a drill of next year runs on what a drill of today ran on. */
export const DEFAULT_POSTGRES_IMAGE = 'postgres:17.6-alpine';
/** Confluent's tag 8.0 is Apache Kafka 4.0. */
export const DEFAULT_KAFKA_IMAGE = 'confluentinc/cp-kafka:8.0.0';

export interface Images {
  readonly postgres: string;
  readonly kafka: string;
}

/** The images that drills run on: `KILLDRILL_POSTGRES_IMAGE` and `KILLDRILL_KAFKA_IMAGE`, or pinned defaults. */
export function chooseImages(environment: Readonly<NodeJS.ProcessEnv>): Images {
  return {
    postgres: environment['KILLDRILL_POSTGRES_IMAGE'] ?? DEFAULT_POSTGRES_IMAGE,
    kafka: environment['KILLDRILL_KAFKA_IMAGE'] ?? DEFAULT_KAFKA_IMAGE,
  };
}

/**
 * The environment of a machine with a Docker engine: PostgreSQL and Kafka as people run them, in containers that carry the
 * drill's name. What a killed harness leaves of them, `doctor --recover` removes.
 *
 * @param options.folder the drill's folder, which names it.
 * @param options.download whether images that are not here may be fetched; they may by default.
 * @throws KilldrillError `DOCKER_MISSING`, `IMAGE_MISSING`, `CONTAINER_NOT_STARTED`.
 */
export async function startContainers(
  { folder, download = true }: { readonly folder: string; readonly download?: boolean },
  signal: AbortSignal,
): Promise<Environment> {
  const engine = await connectDocker();
  const drill = basename(folder);
  const images = chooseImages(process.env);
  if (!download) await requireImages(engine, [images.postgres, images.kafka]);
  const common = { engine, labels: drillLabels(drill) };
  const starting = both(
    startContainerPostgres({ ...common, image: images.postgres, name: `${drill}-postgres` }),
    startContainerKafka({ ...common, image: images.kafka, name: `${drill}-kafka` }),
  );
  const [postgres, kafka] = await unlessAborted(engine, drill, signal, starting);
  return {
    name: 'containers',
    facts: {
      environment: 'containers (PostgreSQL and Kafka of the Docker engine)',
      postgres: `PostgreSQL ${postgres.version}, image ${images.postgres}`,
      'alert bus': `Apache Kafka, KRaft, one node, image ${images.kafka}`,
    },
    postgres,
    kafka,
    createDatabase: (name) => postgres.createDatabase(name),
    close: async () => {
      await Promise.all([postgres.close(), kafka.close()]);
    },
  };
}

interface Closable {
  close(): Promise<void>;
}

const REMOVE_AGAIN_MS = 200;
const REMOVED_BOUND_MS = 10_000;

/** Who asks for the end while servers start does not wait until they have: their containers are taken away from under them. */
async function unlessAborted<T>(
  engine: DockerEngine,
  drill: string,
  signal: AbortSignal,
  starting: Promise<T>,
): Promise<T> {
  let isSettled = false;
  const settled = starting.then(
    () => (isSettled = true),
    () => (isSettled = true),
  );
  const abort = async (): Promise<void> => {
    while (!isSettled) {
      await removeAll(engine, drill).catch(() => undefined);
      await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, REMOVE_AGAIN_MS))]);
    }
  };
  const onAbort = (): void => void abort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await starting;
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (signal.aborted) await removeAll(engine, drill);
  }
}

/** Returns once none is left: the engine takes a moment over a removal that it has taken on. */
async function removeAll(engine: DockerEngine, drill: string): Promise<void> {
  const look = async (): Promise<boolean> => {
    const ours = (await listDrillContainers(engine)).filter((one) => one.drill === drill);
    await Promise.all(ours.map(({ id }) => removeContainer(engine, id)));
    return ours.length === 0;
  };
  await waitUntil(look, { boundMs: REMOVED_BOUND_MS, everyMs: 50 });
}

/** Both at once; if one fails, the other is ended as soon as it is there. What broke first is what is thrown. */
async function both<A extends Closable, B extends Closable>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  try {
    return await Promise.all([first, second]);
  } catch (error) {
    const settled = await Promise.allSettled([first, second]);
    for (const one of settled) if (one.status === 'fulfilled') await one.value.close().catch(() => undefined);
    throw error;
  }
}
