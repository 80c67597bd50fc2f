import { createHash, createPrivateKey, randomUUID } from 'node:crypto';
import { AlertSender, Detection, DetectionObserver, openAlertPublisher, readDetectors } from '../src/index.ts';
import type {
  AlertPublisher,
  Clock,
  ConnectingPublisher,
  ContractDetection,
  ContractEvent,
  GateObserver,
} from '../src/index.ts';
import { log } from './say.ts';

/** A worker's detectors with what they hold. */
export interface Detecting {
  /** For the worker's runtime. */
  readonly observer: GateObserver;
  close(): Promise<void>;
}

interface DetectingParts {
  readonly namespace: string;
  readonly clock: Clock;
  /** The last revision that the worker has seen; null before the first. */
  readonly observedRevision: () => number | null;
  readonly say: (event: ContractEvent) => void;
}

type OpenPublisher = ConnectingPublisher & { close(): Promise<void> };

/**
 * Detectors as the worker is told to have them, which begin to look at once. Their alerts are said before they are
 * published, so that a drill knows of each that can be on the bus, whatever becomes of this process.
 *
 * @throws KilldrillError `DETECTORS_INVALID`
 */
export async function openDetecting(told: ContractDetection, parts: DetectingParts): Promise<Detecting> {
  const { namespace, clock, observedRevision, say } = parts;
  const config = readDetectors(told.detectors, 'KILLDRILL_DETECTORS');
  const key = Buffer.from(told.privateKey);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  const publisher = await openPublisher(told, namespace);
  // The first alert is the one that has to be quick; with the bus away, it tries again by itself.
  publisher.connect().catch((thrown: unknown) => log(`the alert bus: ${String(thrown)}`));
  const sender = new AlertSender({
    ...{ publisher: saidFirst(publisher, say), namespace, privateKey, newId: randomUUID, clock, observedRevision },
  });
  const detection = new Detection(config, sender, clock);
  const stopLooking = detection.start();
  return {
    observer: new DetectionObserver(detection),
    close: async () => {
      stopLooking();
      await publisher.close();
    },
  };
}

/** A client of Kafka is loaded only by a worker that has one to talk to. */
async function openPublisher({ bus, topic }: ContractDetection, namespace: string): Promise<OpenPublisher> {
  const named = topic === null ? {} : { topic };
  if (bus.kind === 'postgres') return openAlertPublisher({ connectionString: bus.url, namespace, ...named });
  const { KafkaBus } = await import('../src/kafka.ts');
  return new KafkaBus({ brokers: bus.brokers, newId: randomUUID, ...named });
}

function saidFirst(publisher: AlertPublisher, say: DetectingParts['say']): AlertPublisher {
  return {
    publish: async (bytes, signature, key) => {
      const content = createHash('sha256').update(bytes).digest('hex');
      say({ event: 'alert.raised', text: Buffer.from(bytes).toString(), signature });
      try {
        await publisher.publish(bytes, signature, key);
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown.message : String(thrown);
        say({ event: 'alert.acknowledged', content, ok: false, error });
        throw thrown;
      }
      say({ event: 'alert.acknowledged', content, ok: true, error: null });
    },
  };
}
