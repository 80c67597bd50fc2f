import { systemClock } from '../../../src/clock.ts';
import { messageOf } from '../../../src/errors.ts';
import { readOrdinaryFile } from '../../../src/ordinary-file.ts';
import { printable } from '../../report/wrap.ts';
import { publicKeys, signingOf } from '../flip-keys.ts';
import type { SigningFlags } from '../flip-keys.ts';
import { followApiKeyFile } from '../api-key-file.ts';
import { openControlPlane } from '../control-plane.ts';
import type { ControlPlane } from '../control-plane.ts';
import { EXIT } from '../exit.ts';
import { readDetectorKeyFile } from '../hosted-executor.ts';
import type { HostedExecutorOptions } from '../hosted-executor.ts';
import { mirrorWish } from '../hosted-mirror.ts';
import { sinkWishes } from '../hosted-sinks.ts';
import type { HostedSinksOptions } from '../hosted-sinks.ts';
import { interruptible } from '../interrupt.ts';
import { databaseUrl, namespaceOf } from '../operator-connection.ts';
import type { StoreFlags } from '../operator-connection.ts';
import { data, note } from '../output.ts';
import { usage } from '../usage.ts';
import { wholeNumber } from '../whole-number.ts';

export interface ServeFlags extends StoreFlags, SigningFlags {
  readonly keys: string;
  readonly host: string;
  readonly port: string;
  readonly spool: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** A file with the keys of detectors: this process reads alerts too. */
  readonly executor?: string;
  readonly brokers?: string;
  readonly topic?: string;
  readonly sink: readonly string[];
  readonly sinkPositions: string;
  readonly mirrorStateFile?: string;
  readonly mirrorKey?: string;
  readonly json?: boolean;
}

const MAX_PEM_BYTES = 1_000_000;

/** `killdrill serve`: the control API, until somebody ends it. */
export async function serve(flags: ServeFlags): Promise<number> {
  const onError = (error: Error): void => note(`killdrill serve: ${printable(messageOf(error))}`);
  const { signal, dispose } = interruptible();
  try {
    const plane = await openControlPlane({
      ...{ connectionString: databaseUrl(flags), namespace: namespaceOf(flags), onError },
      listen: { host: flags.host, port: wholeNumber('--port', flags.port, { min: 0, max: 65_535 }), tls: tlsOf(flags) },
      keys: followApiKeyFile(flags.keys, systemClock, onError),
      spoolFolder: flags.spool,
      signing: signingOf(flags),
      flipKeys: publicKeys(),
      stateFile: stateFile(),
      executor: executorOf(flags),
      sinks: sinksOf(flags),
      mirror: mirrorWish(flags.mirrorStateFile, flags.mirrorKey),
    });
    announce(plane, flags);
    await aborted(signal);
    return await end(plane);
  } finally {
    dispose();
  }
}

function stateFile(): string | null {
  const path = process.env['KILLDRILL_STATE_FILE'] ?? '';
  return path === '' ? null : path;
}

function announce(plane: ControlPlane, { json }: ServeFlags): void {
  const { url, restored } = plane;
  for (const { path, why } of restored.setAside) note(printable(`left in the spool, not sent: ${path} (${why})`));
  if (restored.stops.length > 0) note(`taken up from the spool: ${restored.stops.length} stops, which are enforced`);
  data(json === true ? JSON.stringify({ url }) : `serving ${url}`);
  void plane.ready().then(() => note('ready: everything is restored'));
}

async function end(plane: ControlPlane): Promise<number> {
  const { left } = await plane.close();
  for (const { id, keptAt } of left) {
    note(
      printable(
        `stop ${id} is not durable; ${keptAt === null ? 'it is LOST' : `kept at ${keptAt}`}, nobody is sending it`,
      ),
    );
  }
  return left.length === 0 ? EXIT.pass : EXIT.error;
}

function tlsOf({ tlsCert, tlsKey }: ServeFlags): { readonly cert: string; readonly key: string } | null {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined)
    throw usage('--tls-cert and --tls-key are needed both, or neither');
  return { cert: textOf('--tls-cert', tlsCert), key: textOf('--tls-key', tlsKey) };
}

function textOf(flag: string, path: string): string {
  try {
    return readOrdinaryFile(path, MAX_PEM_BYTES);
  } catch (thrown) {
    throw usage(`${flag}: ${path} cannot be read (${messageOf(thrown)})`);
  }
}

function executorOf(flags: ServeFlags): HostedExecutorOptions | null {
  const { executor, brokers, topic, sink } = flags;
  if (executor === undefined) {
    const isForSink = sink.some((one) => one.startsWith('kafka:'));
    if (topic !== undefined) throw usage('--topic is for --executor');
    if (brokers !== undefined && !isForSink) throw usage('--brokers are for --executor or --sink kafka:TOPIC');
    return null;
  }
  return { keys: readDetectorKeyFile(executor), brokers: brokersOf(flags), topic: topic ?? null };
}

function sinksOf(flags: ServeFlags): HostedSinksOptions | null {
  const wishes = sinkWishes(flags.sink, brokersOf(flags));
  return wishes.length === 0 ? null : { wishes, positionsFolder: flags.sinkPositions };
}

function brokersOf({ brokers }: ServeFlags): readonly string[] {
  const list = (brokers ?? '').split(',').map((one) => one.trim());
  return list.filter((one) => one !== '');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
