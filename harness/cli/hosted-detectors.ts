import { createPublicKey, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { AlertSender } from '../../src/alerts/alert-sender.ts';
import { isWithin } from '../../src/alerts/detector-keys.ts';
import type { DetectorKeys } from '../../src/alerts/detector-keys.ts';
import { KafkaBus } from '../../src/alerts/kafka-bus.ts';
import { systemClock } from '../../src/clock.ts';
import { readDetectors } from '../../src/detect/config.ts';
import { JournalWatch } from '../../src/detect/journal-watch.ts';
import type { ChecksOf } from '../../src/control/release.ts';
import type { JournalWatchStatus } from '../../src/detect/journal-watch.ts';
import type { DetectorConfig } from '../../src/detect/rule.ts';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import type { Registry } from '../../src/registry.ts';
import { openAlertPublisher } from '../../src/store/postgres/alert-bus.ts';
import { openJournalSource } from '../../src/store/postgres/journal-source.ts';
import { LIMITS } from '../scenario/limits.ts';
import { readYaml } from '../scenario/yaml-text.ts';
import type { HostedBus } from './hosted-bus.ts';
import { usage } from './usage.ts';

/** What is too much, and who says so. */
export interface HostedDetectorsOptions {
  readonly config: DetectorConfig;
  /** Signs the alerts. */
  readonly privateKey: KeyObject;
  readonly bus: HostedBus;
}

interface Host {
  readonly connectionString: string;
  readonly namespace: string;
  readonly registry: Registry;
  readonly onError: (error: Error) => void;
}

export interface HostedDetectors {
  status(): JournalWatchStatus;
  /** For a release: what these detectors would ask to have stopped again. */
  readonly greenChecks: ChecksOf;
  start(): void;
  close(): Promise<void>;
}

/**
 * Detectors in the API's process, which read the journal and raise alerts; they stop nothing by themselves.
 *
 * @throws KilldrillError `DETECTORS_INVALID` naming rules that the journal cannot feed
 */
export function openHostedDetectors({ config, privateKey, bus }: HostedDetectorsOptions, host: Host): HostedDetectors {
  const { connectionString, namespace, registry, onError } = host;
  const { brokers, ...topics } = bus;
  const member = `serve-detectors-${hostname()}-${process.pid}`;
  const publisher =
    brokers.length === 0
      ? openAlertPublisher({ connectionString, namespace, ...topics })
      : new KafkaBus({ brokers, member, newId: randomUUID, onError, ...topics });
  const journal = openJournalSource({ connectionString, namespace });
  const port = new AlertSender({
    ...{ publisher, namespace, privateKey, newId: randomUUID, clock: systemClock },
    observedRevision: () => registry.head?.revision ?? null,
  });
  const watch = new JournalWatch({ journal, config, port, clock: systemClock, onError });
  return {
    status: () => watch.status(),
    greenChecks: (releasing) => releasing.map((on) => watch.greenCheck(on)),
    start: () => {
      watch.start();
      // The first alert is the one that has to be quick; with the bus away, each alert tries again by itself.
      publisher
        .connect()
        .catch((error: unknown) => onError(error instanceof Error ? error : new Error(messageOf(error))));
    },
    close: async () => {
      await watch.close();
      await Promise.all([publisher.close(), journal.close()]);
    },
  };
}

/**
 * Reads what is too much: YAML, in the words of `readDetectors`.
 *
 * @throws KilldrillError `DETECTORS_INVALID` naming the file, each place and what was expected
 */
export function readDetectorsFile(path: string): DetectorConfig {
  const yaml = readYaml(textOf(path));
  const problems = 'value' in yaml ? yaml.duplicates : yaml;
  if (!('value' in yaml) || problems.length > 0) {
    const lines = problems.map(
      ({ line, column, found, expected, fix }) =>
        `${path}:${line}:${column}: found ${found}, expected ${expected}; ${fix}`,
    );
    throw new KilldrillError('DETECTORS_INVALID', lines.join('\n'));
  }
  return readDetectors(yaml.value, path);
}

/**
 * An executor in the same process has to take what the detectors raise: otherwise every alert would be a dead letter.
 *
 * @throws KilldrillError `USAGE` naming the first rule that it would not take, and why
 */
export function checkReach({ detector, rules }: DetectorConfig, privateKey: KeyObject, keys: DetectorKeys): void {
  const publicKey = createPublicKey(privateKey);
  const own = (keys.get(detector) ?? []).filter((key) => key.publicKey.equals(publicKey));
  if (own.length === 0) {
    throw usage(`--executor knows no key of detector '${detector}' that --detector-key signs with; add its public key`);
  }
  for (const { name, per, mode } of rules) {
    if (own.some((key) => isWithin(key, { scope: per, mode }))) continue;
    throw usage(`--executor lets detector '${detector}' not ask for ${mode} of a ${per}, as its rule '${name}' does`);
  }
}

function textOf(path: string): string {
  try {
    const facts = statSync(path);
    if (!facts.isFile() || facts.size > LIMITS.fileBytes) {
      throw new Error(`it is no file of at most ${LIMITS.fileBytes} bytes`);
    }
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new KilldrillError('DETECTORS_INVALID', `${path}: the detectors cannot be read (${messageOf(cause)})`, {
      cause,
    });
  }
}
