import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import type { ApiKeys } from '../../src/control/api/api-keys.ts';
import { openControlApi } from '../../src/control/api/server.ts';
import type { ControlApi, ListenOptions } from '../../src/control/api/server.ts';
import { StopTaker } from '../../src/control/stop-taker.ts';
import { Lease } from '../../src/lease.ts';
import { packageVersion } from '../../src/package-root.ts';
import { StoreFeed } from '../../src/propagation/store-feed.ts';
import { Registry } from '../../src/registry.ts';
import { openControlStore } from '../../src/store/postgres/control-store.ts';
import { openFlipSource } from '../../src/store/postgres/flip-source.ts';
import { openFlipStore } from '../../src/store/postgres/flip-store.ts';
import { openStopStore } from '../../src/store/postgres/stop-store.ts';
import { Spool } from '../../src/store/spool.ts';
import type { SpoolContents } from '../../src/store/spool.ts';
import { openHostedExecutor } from './hosted-executor.ts';
import type { HostedExecutorOptions } from './hosted-executor.ts';

export interface ControlPlaneOptions {
  readonly connectionString: string;
  readonly namespace: string;
  readonly listen: ListenOptions;
  readonly keys: () => ApiKeys;
  readonly spoolFolder: string;
  /** Null: this process reads no alerts. */
  readonly executor: HostedExecutorOptions | null;
  readonly onError: (error: Error) => void;
}

export interface ControlPlane {
  readonly url: string;
  /** What an earlier process left. */
  readonly restored: SpoolContents;
  /** Resolves once the store's flips are loaded and the alerts, if any, are read. */
  ready(): Promise<void>;
  /** Takes nothing more, answers what has come in, and gives the store time for what waits. */
  close(): Promise<{ readonly left: readonly { readonly id: string; readonly keptAt: string | null }[] }>;
}

const RETRY_MS = 100;
/** How long the end waits for a store that is away. */
const LAST_WAIT_MS = 2_000;

/**
 * Opens everything that one process of the control plane holds. It starts, and takes stops, while the store is away.
 *
 * @throws KilldrillError `SPOOL_UNUSABLE`; otherwise what listening throws.
 */
export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { connectionString, namespace, onError, keys } = options;
  const clock = systemClock;
  const to = { connectionString, namespace };
  const [source, flips, stops, record] = [
    openFlipSource(to),
    openFlipStore(to),
    openStopStore(to),
    openControlStore(to),
  ];
  const [registry, lease] = [new Registry(namespace), new Lease(clock)];
  const timings = { pollMs: lease.leaseMs / 4, retryMs: RETRY_MS };
  const feed = new StoreFeed({ source, registry, lease, clock, timings, onError });
  const spool = new Spool(options.spoolFolder, namespace);
  const taker = new StopTaker({ namespace, registry, store: stops, spool, paths: [], clock, onError });
  const executor =
    options.executor === null ? null : openHostedExecutor(options.executor, { ...to, registry, onError });
  const restored = await taker.restore();
  const missing = (): string | null =>
    registry.head === null ? "the store's flips are not loaded yet; stops are taken all the same" : null;
  const api: ControlApi = await openControlApi(
    {
      ...{ namespace, version: packageVersion(), registry, lease, taker, flips, record, keys, clock, missing, onError },
      ...{ newId: randomUUID, sign: null },
      ...(executor === null ? {} : { executor: () => executor.status() }),
    },
    options.listen,
  );
  feed.start();
  executor?.start();
  return {
    ...{ url: api.url, restored },
    ready: () => feed.ready(),
    close: async () => {
      await api.close();
      const left = await taker.close(LAST_WAIT_MS);
      await executor?.close();
      await feed.close();
      await Promise.all([source, flips, stops, record].map((port) => port.close()));
      return { left };
    },
  };
}
