import type { ConnectTarget, Proxy, startProxy } from '../environment/proxy.ts';
import type { ExecutorsKafka } from './executors.ts';
import type { SaidLine } from './contract-lines.ts';

/** What a fleet with detectors has besides. */
export interface DetectingFleet {
  /** The detectors and their key, the same for all workers. */
  readonly variables: Readonly<Record<string, string>>;
  /** Null where PostgreSQL is the bus. */
  readonly kafka: ExecutorsKafka | null;
  /** Is given every line of the fleet contract that a worker says. */
  readonly said: (line: SaidLine) => void;
}

/** One worker's own ways out. */
export interface WorkerPlanes {
  /** These two are null for a fleet without a store. */
  readonly registry: Proxy | null;
  readonly work: Proxy | null;
  /** Null for a fleet without detectors. */
  readonly alerts: AlertsPlane | null;
  close(): Promise<void>;
}

/** A worker's way to the bus that its detectors publish on. */
interface AlertsPlane {
  /** Where faults act on it; null at brokers that are not ours. */
  readonly proxy: Proxy | null;
  /** How the worker is told of it, and of its detectors. */
  readonly variables: Readonly<Record<string, string>>;
}

interface PlanesParts {
  /** Null for a fleet without a store. */
  readonly postgres: ConnectTarget | null;
  readonly storeUrl: (port: number) => string;
  readonly detecting: DetectingFleet | null;
  readonly startProxy: typeof startProxy;
}

/** Opens a worker's ways out. @throws KilldrillError `KAFKA_DOORS` */
export async function openWorkerPlanes(worker: string, parts: PlanesParts): Promise<WorkerPlanes> {
  const { postgres: target, storeUrl, detecting, startProxy: start } = parts;
  if (target === null) return { registry: null, work: null, alerts: null, close: () => Promise.resolve() };
  const kafka = detecting?.kafka ?? null;
  const door = kafka === null ? null : doorOf(kafka, worker);
  const [registry, work] = await Promise.all([start({ target }), start({ target })]);
  const own = detecting === null || door !== null ? null : await start({ target });
  const bus = door?.variables ?? (own === null ? {} : { KILLDRILL_ALERTS_URL: storeUrl(own.port) });
  const alerts =
    detecting === null ? null : { proxy: door?.proxy ?? own, variables: { ...detecting.variables, ...bus } };
  const close = async (): Promise<void> => {
    // A door is the broker's, and closes with it.
    const proxies = own === null ? [registry, work] : [registry, work, own];
    await Promise.all(proxies.map((proxy) => proxy.close()));
  };
  return { registry, work, alerts, close };
}

function doorOf({ server, topics }: ExecutorsKafka, worker: string): AlertsPlane {
  const { brokers, proxy } = server.door(worker);
  return { proxy, variables: { KILLDRILL_KAFKA_BROKERS: brokers, KILLDRILL_ALERTS_TOPIC: topics.alerts } };
}
