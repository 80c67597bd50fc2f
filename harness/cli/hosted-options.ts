import { readSigningKey } from '../../src/signing-key.ts';
import type { AlertPolicy } from '../../src/alerts/judge-alert.ts';
import type { StopMode } from '../../src/switch.ts';
import { publicKeys, signingOf } from './flip-keys.ts';
import type { SigningFlags } from './flip-keys.ts';
import type { HostedOptions } from './hosted.ts';
import { hostedBus } from './hosted-bus.ts';
import type { BusFlags } from './hosted-bus.ts';
import { canaryEvery, checkCanarySigning } from './hosted-canary.ts';
import { checkReach, readDetectorsFile } from './hosted-detectors.ts';
import type { HostedDetectorsOptions } from './hosted-detectors.ts';
import { readDetectorKeyFile } from './hosted-executor.ts';
import type { HostedExecutorOptions } from './hosted-executor.ts';
import { mirrorWish } from './hosted-mirror.ts';
import { sinkWishes } from './hosted-sinks.ts';
import type { HostedSinksOptions } from './hosted-sinks.ts';
import { usage } from './usage.ts';

/** What `serve` is asked to do besides. */
export interface HostedFlags extends SigningFlags, BusFlags {
  /** A file with the keys of detectors: this process reads alerts too. */
  readonly executor?: string;
  readonly group?: string;
  readonly alertQueue?: AlertPolicy['queue'];
  readonly alertMode?: StopMode;
  readonly signedOnly?: boolean;
  /** A file that says what is too much: this process raises alerts too. */
  readonly detectors?: string;
  readonly detectorKey?: string;
  /** How often a canary is flown, such as 10m. */
  readonly canaryEvery?: string;
  /** Who is told of every flip. */
  readonly sink?: readonly string[];
  readonly sinkPositions?: string;
  /** A state file that this process keeps equal to the store. */
  readonly mirrorStateFile?: string;
  readonly mirrorKey?: string;
}

/** @throws KilldrillError `USAGE`, and what is wrong with the files that are named */
export function hostedOptions(flags: HostedFlags): HostedOptions {
  refuseIdleFlags(flags);
  const [executor, detectors, canaryEveryMs] = [executorOf(flags), detectorsOf(flags), canaryEvery(flags.canaryEvery)];
  if (canaryEveryMs !== null) checkCanarySigning(signingOf(flags), publicKeys() !== null);
  if (executor !== null && detectors !== null) checkReach(detectors.config, detectors.privateKey, executor.keys);
  const mirror = mirrorWish(flags.mirrorStateFile, flags.mirrorKey);
  return { executor, detectors, canaryEveryMs, sinks: sinksOf(flags), mirror };
}

/** A flag that does nothing would look as if it did. */
function refuseIdleFlags(flags: HostedFlags): void {
  const { executor, detectors, detectorKey, brokers, topic, sink = [] } = flags;
  const hasBus = executor !== undefined || detectors !== undefined;
  if (!hasBus && topic !== undefined) {
    throw usage('--topic is for --executor and --detectors; give one of them, or leave it out');
  }
  if (!hasBus && brokers !== undefined && !sink.some((one) => one.startsWith('kafka:'))) {
    throw usage(
      '--brokers are for --executor, --detectors and --sink kafka:TOPIC; give one of them, or leave them out',
    );
  }
  const ofExecutor = [flags.group, flags.alertQueue, flags.alertMode, flags.signedOnly];
  if (executor === undefined && ofExecutor.some((flag) => flag !== undefined)) {
    throw usage(
      '--group, --alert-queue, --alert-mode and --signed-only are for --executor; give it, or leave them out',
    );
  }
  if (flags.group !== undefined && brokers === undefined) {
    throw usage('--group is for --brokers: over the database there are no groups');
  }
  if ((detectors === undefined) !== (detectorKey === undefined)) {
    throw usage('--detectors and --detector-key are needed both, or neither: an executor takes signed alerts');
  }
}

function executorOf(flags: HostedFlags): HostedExecutorOptions | null {
  const { executor, group, alertQueue = 'discard', alertMode, signedOnly } = flags;
  if (executor === undefined) return null;
  return {
    ...{ keys: readDetectorKeyFile(executor), bus: hostedBus(flags), queue: alertQueue },
    unsigned: signedOnly === true ? 'refused' : 'accepted',
    ...(alertMode === undefined ? {} : { strictestMode: alertMode }),
    ...(group === undefined ? {} : { group }),
  };
}

function detectorsOf(flags: HostedFlags): HostedDetectorsOptions | null {
  const { detectors, detectorKey } = flags;
  if (detectors === undefined || detectorKey === undefined) return null;
  return { config: readDetectorsFile(detectors), privateKey: readSigningKey(detectorKey), bus: hostedBus(flags) };
}

function sinksOf({ sink = [], sinkPositions = 'killdrill-sinks', brokers }: HostedFlags): HostedSinksOptions | null {
  const wishes = sinkWishes(sink, hostedBus(sink.length === 0 || brokers === undefined ? {} : { brokers }));
  return wishes.length === 0 ? null : { wishes, positionsFolder: sinkPositions };
}
