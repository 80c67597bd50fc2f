import { readFileSync } from 'node:fs';
import { systemClock } from '../../../src/clock.ts';
import { messageOf } from '../../../src/errors.ts';
import { printable } from '../../report/wrap.ts';
import { publicKeys, signingOf } from '../flip-keys.ts';
import type { SigningFlags } from '../flip-keys.ts';
import { followApiKeyFile } from '../api-key-file.ts';
import { openControlPlane } from '../control-plane.ts';
import type { ControlPlane } from '../control-plane.ts';
import { EXIT } from '../exit.ts';
import { canaryEvery, checkCanarySigning } from '../hosted-canary.ts';
import { readDetectorKeyFile } from '../hosted-executor.ts';
import type { HostedExecutorOptions } from '../hosted-executor.ts';
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
  /** How often a canary is flown, such as 10m. */
  readonly canaryEvery?: string;
  readonly json?: boolean;
}

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
      canaryEveryMs: canaryOf(flags),
    });
    announce(plane, flags);
    await aborted(signal);
    return await end(plane);
  } finally {
    dispose();
  }
}

function canaryOf(flags: ServeFlags): number | null {
  const everyMs = canaryEvery(flags.canaryEvery);
  if (everyMs !== null) checkCanarySigning(signingOf(flags), publicKeys() !== null);
  return everyMs;
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
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    throw usage(`${flag}: ${path} cannot be read (${messageOf(thrown)})`);
  }
}

function executorOf({ executor, brokers, topic }: ServeFlags): HostedExecutorOptions | null {
  if (executor === undefined) {
    if (brokers !== undefined || topic !== undefined) throw usage('--brokers and --topic are for --executor');
    return null;
  }
  const list = (brokers ?? '').split(',').map((one) => one.trim());
  return { keys: readDetectorKeyFile(executor), brokers: list.filter((one) => one !== ''), topic: topic ?? null };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
