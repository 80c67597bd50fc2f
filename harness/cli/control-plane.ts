import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import type { ApiKeys } from '../../src/control/api/api-keys.ts';
import { openControlApi } from '../../src/control/api/server.ts';
import type { ControlApi, ListenOptions } from '../../src/control/api/server.ts';
import { EffectivenessWatch } from '../../src/control/effectiveness-watch.ts';
import { ProvenAge } from '../../src/control/proven-age.ts';
import type { StopPath } from '../../src/control/stop-taker-parts.ts';
import { StopTaker } from '../../src/control/stop-taker.ts';
import { parseFlip } from '../../src/flip-text.ts';
import type { FlipKeys } from '../../src/flip-signature.ts';
import { Lease } from '../../src/lease.ts';
import { packageVersion } from '../../src/package-root.ts';
import { haltByFile } from '../../src/propagation/halt-by-file.ts';
import { StoreFeed } from '../../src/propagation/store-feed.ts';
import { Registry } from '../../src/registry.ts';
import { openControlStore } from '../../src/store/postgres/control-store.ts';
import { openAuditStore } from '../../src/store/postgres/audit-store.ts';
import { openEffectivenessStore } from '../../src/store/postgres/effectiveness-store.ts';
import { openFlipSource } from '../../src/store/postgres/flip-source.ts';
import { openFlipStore } from '../../src/store/postgres/flip-store.ts';
import { openPreviewStore } from '../../src/store/postgres/preview-store.ts';
import { openStopStore } from '../../src/store/postgres/stop-store.ts';
import { Spool } from '../../src/store/spool.ts';
import type { SpoolContents } from '../../src/store/spool.ts';
import type { StopOffer } from '../../src/store/stop-port.ts';
import type { Signing } from './flip-keys.ts';
import { openHosted } from './hosted.ts';
import type { HostedOptions } from './hosted.ts';
import { vouchAfterRelease } from './vouch-after-release.ts';

export interface ControlPlaneOptions extends HostedOptions {
  readonly connectionString: string;
  readonly namespace: string;
  readonly listen: ListenOptions;
  readonly keys: () => ApiKeys;
  readonly spoolFolder: string;
  /** Signs what it takes, and knows whose releases count; null: nothing is signed here. */
  readonly signing: Signing | null;
  /** Public keys of those who flip; null where nothing has to be signed. */
  readonly flipKeys: FlipKeys | null;
  /** The state file beside which stops are put while the store is away; null for none. */
  readonly stateFile: string | null;
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

/** Whoever asks what a stop would hit has more patience than a stop has. */
const PREVIEW_TIMINGS = { connectMs: 2_000, statementMs: 3_000, answerMs: 3_500 };
const RETRY_MS = 100;
/** How long the end waits for a store that is away. */
const LAST_WAIT_MS = 2_000;

/**
 * Opens everything that one process of the control plane holds. It starts, and takes stops, while the store is away.
 *
 * @throws KilldrillError `SPOOL_UNUSABLE`; otherwise what listening throws.
 */
export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { connectionString, namespace, onError, keys, signing, flipKeys, stateFile } = options;
  const clock = systemClock;
  const to = { connectionString, namespace };
  const [source, flips, stops, record, effectiveness, audit, preview] = [
    openFlipSource(to),
    openFlipStore(to),
    openStopStore(to),
    openControlStore(to),
    openEffectivenessStore(to),
    openAuditStore(to),
    openPreviewStore({ ...to, timings: PREVIEW_TIMINGS }),
  ];
  const watch = new EffectivenessWatch({ store: effectiveness, clock });
  const [registry, lease] = [new Registry(namespace, { keys: flipKeys }), new Lease(clock)];
  const timings = { pollMs: lease.leaseMs / 4, retryMs: RETRY_MS };
  const feed = new StoreFeed({ source, registry, lease, clock, timings, onError });
  const spool = new Spool(options.spoolFolder, namespace);
  const taker = new StopTaker({ namespace, registry, store: stops, spool, paths: pathsOf(stateFile), clock, onError });
  const [sign, proven] = [signing?.sign ?? null, new ProvenAge(effectiveness, clock)];
  const tell = (sentence: string): void => onError(new Error(sentence));
  const vouch = (own: Signing): Promise<void> => vouchAfterRelease({ store: audit, namespace, ...own }, tell);
  const vouching = signing === null ? {} : { vouch: () => vouch(signing) };
  const host = { ...to, registry, lease, fleet: effectiveness, sign, onError, ...vouching };
  const hosted = await openHosted(options, host);
  const restored = await taker.restore();
  const missing = (): string | null =>
    registry.head === null ? "the store's flips are not loaded yet; stops are taken all the same" : null;
  const api: ControlApi = await openControlApi(
    {
      ...{ namespace, version: packageVersion(), registry, lease, taker, flips, record, keys, clock, missing, onError },
      ...{ newId: randomUUID, sign, flipKeys, ...vouching, ...hosted.parts },
      fleet: {
        facts: () => effectiveness.fleet(),
        stop: (id) => watch.look(id),
        lastProvenMs: () => proven.ask(),
      },
      preview,
    },
    options.listen,
  );
  feed.start();
  hosted.start();
  return {
    ...{ url: api.url, restored },
    ready: () => feed.ready(),
    close: async () => {
      await api.close();
      const left = await taker.close(LAST_WAIT_MS);
      await hosted.close();
      await feed.close();
      await Promise.all([source, flips, stops, record, effectiveness, audit, preview].map((port) => port.close()));
      return { left };
    },
  };
}

/** Whoever watches the state file enforces a stop that cannot be made durable yet. */
function pathsOf(stateFile: string | null): readonly StopPath[] {
  if (stateFile === null) return [];
  const push = async ({ text, signature }: StopOffer): Promise<void> => {
    const flip = parseFlip(text);
    if (flip.kind === 'stop') await haltByFile(stateFile, flip, signature === null ? null : () => signature);
  };
  return [{ name: 'state file', push }];
}
