import type { ControlApiParts } from '../../src/control/api/parts.ts';
import type { Lease } from '../../src/lease.ts';
import type { Registry } from '../../src/registry.ts';
import type { EffectivenessStore } from '../../src/store/effectiveness-port.ts';
import { openHostedCanary } from './hosted-canary.ts';
import { openHostedDetectors } from './hosted-detectors.ts';
import type { HostedDetectorsOptions } from './hosted-detectors.ts';
import { openHostedExecutor } from './hosted-executor.ts';
import type { HostedExecutorOptions } from './hosted-executor.ts';
import { openHostedMirror } from './hosted-mirror.ts';
import type { HostedMirrorOptions } from './hosted-mirror.ts';
import { openHostedSinks } from './hosted-sinks.ts';
import type { HostedSinksOptions } from './hosted-sinks.ts';

/** What the API's process does besides, if it is asked to; null for what it does not. */
export interface HostedOptions {
  readonly executor: HostedExecutorOptions | null;
  /** Pause between two canaries, milliseconds. */
  readonly canaryEveryMs?: number | null;
  readonly detectors?: HostedDetectorsOptions | null;
  /** Who is told of every flip. */
  readonly sinks?: HostedSinksOptions | null;
  /** The state file that it keeps equal to the store. */
  readonly mirror?: HostedMirrorOptions | null;
}

interface Host {
  readonly connectionString: string;
  readonly namespace: string;
  readonly registry: Registry;
  readonly lease: Lease;
  readonly fleet: Pick<EffectivenessStore, 'fleet'>;
  /** Signs flips; null for unsigned ones. */
  readonly sign: ((text: string) => string) | null;
  /** Signs the head after a release. */
  readonly vouch?: () => Promise<void>;
  readonly onError: (error: Error) => void;
}

export interface Hosted {
  /** What the API tells of them. */
  readonly parts: Pick<ControlApiParts, 'executor' | 'canary' | 'detectors' | 'greenChecks' | 'sinks' | 'mirror'>;
  start(): void;
  close(): Promise<void>;
}

/** Opens what is asked for; nothing of it begins before `start`. */
export async function openHosted(options: HostedOptions, host: Host): Promise<Hosted> {
  const { executor, canaryEveryMs = null, detectors = null, sinks: told = null, mirror: file = null } = options;
  const sinks = told === null ? null : await openHostedSinks(told, host);
  const reader = executor === null ? null : openHostedExecutor(executor, host);
  const canary = canaryEveryMs === null ? null : openHostedCanary(canaryEveryMs, host);
  const watch = detectors === null ? null : openHostedDetectors(detectors, host);
  const mirror = file === null ? null : openHostedMirror(file, host);
  return {
    parts: {
      ...(reader === null ? {} : { executor: () => reader.status() }),
      ...(canary === null ? {} : { canary: () => canary.status() }),
      ...(watch === null ? {} : { detectors: () => watch.status(), greenChecks: watch.greenChecks }),
      ...(sinks === null ? {} : { sinks: () => sinks.status() }),
      ...(mirror === null ? {} : { mirror: () => mirror.status() }),
    },
    start: () => {
      reader?.start();
      canary?.start();
      watch?.start();
      sinks?.start();
      mirror?.start();
    },
    close: async () => {
      await watch?.close(); // first, so that the executor may still read what it has raised
      await Promise.all([reader?.close(), canary?.close(), sinks?.close(), mirror?.close()]);
    },
  };
}
