import type { Lease } from '../../src/lease.ts';
import type { Registry } from '../../src/registry.ts';
import { openHostedExecutor } from './hosted-executor.ts';
import type { HostedExecutorOptions } from './hosted-executor.ts';
import { openHostedMirror } from './hosted-mirror.ts';
import type { HostedMirrorOptions } from './hosted-mirror.ts';
import { openHostedSinks } from './hosted-sinks.ts';
import type { HostedSinksOptions } from './hosted-sinks.ts';

/** What else a process of the control plane may do. */
export interface HostedOptions {
  /** Null: this process reads no alerts. */
  readonly executor: HostedExecutorOptions | null;
  /** Left out or null: nobody is told of flips from here. */
  readonly sinks?: HostedSinksOptions | null;
  /** Left out or null: this process keeps no state file equal to the store. */
  readonly mirror?: HostedMirrorOptions | null;
}

interface Host {
  readonly connectionString: string;
  readonly namespace: string;
  readonly registry: Registry;
  readonly lease: Lease;
  readonly sign: ((text: string) => string) | null;
  readonly onError: (error: Error) => void;
}

/** Opens those that are asked for. */
export async function openHosted(options: HostedOptions, host: Host) {
  const { executor: alerts, sinks: told = null, mirror: file = null } = options;
  const sinks = told === null ? null : await openHostedSinks(told, host);
  const executor = alerts === null ? null : openHostedExecutor(alerts, host);
  const mirror = file === null ? null : openHostedMirror(file, host);
  return {
    /** For those who ask how they are. */
    status: {
      ...(executor === null ? {} : { executor: () => executor.status() }),
      ...(sinks === null ? {} : { sinks: () => sinks.status() }),
      ...(mirror === null ? {} : { mirror: () => mirror.status() }),
    },
    start: () => {
      executor?.start();
      sinks?.start();
      mirror?.start();
    },
    close: async () => {
      await executor?.close();
      await Promise.all([sinks?.close(), mirror?.close()]);
    },
  };
}
