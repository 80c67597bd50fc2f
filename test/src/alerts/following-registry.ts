import { systemClock } from '../../../src/clock.ts';
import { Lease } from '../../../src/lease.ts';
import { StoreFeed } from '../../../src/propagation/store-feed.ts';
import { Registry } from '../../../src/registry.ts';
import { openFlipSource } from '../../../src/store/postgres/flip-source.ts';
import type { StoreOptions } from '../../../src/store/postgres/options.ts';

/** A process's registry as a feed keeps it fresh. */
export interface FollowingRegistry {
  readonly registry: Registry;
  /** Targets of the stops that are enforced here. */
  targets(): readonly string[];
  close(): Promise<void>;
}

/** Resolves once it has loaded and listens; its login role needs `killdrill_worker`. */
export function followRegistry(options: StoreOptions): Promise<FollowingRegistry> {
  return followFrom(options).following;
}

/** The same, with the registry at once: it can be told of stops before it has loaded. */
export function followFrom(options: StoreOptions): {
  readonly registry: Registry;
  readonly following: Promise<FollowingRegistry>;
} {
  const source = openFlipSource(options);
  const registry = new Registry(options.namespace);
  const [clock, timings] = [systemClock, { pollMs: 300, retryMs: 50 }];
  const feed = new StoreFeed({ source, registry, lease: new Lease(clock), clock, timings });
  feed.start();
  const following = feed.ready().then(() => ({
    registry,
    targets: () => registry.openEngagements().map(({ target }) => target),
    close: async () => {
      await feed.close();
      await source.close();
    },
  }));
  return { registry, following };
}
