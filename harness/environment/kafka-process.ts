import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { DRILL_FOLDER_VARIABLE } from './drill-folder.ts';
import type { KafkaHome } from './kafka-home.ts';
import type { KafkaProperties } from './kafka-properties.ts';
import { lookUpProcess } from './process-table.ts';
import type { ProcessId } from './process-table.ts';

/** A broker's data, made and not running yet. */
export interface KafkaInstallation {
  readonly home: KafkaHome;
  /** The drill's folder. */
  readonly folder: string;
  readonly propertiesPath: string;
  readonly logPath: string;
}

export interface KafkaProcess {
  readonly id: ProcessId;
  /** Resolves when it has ended and is reaped. */
  readonly exited: Promise<void>;
  readonly hasEnded: () => boolean;
}

/** 128 random bits as Kafka writes them; a leading '-' would look like an option. */
export function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A');
}

const FORMAT_BOUND_MS = 60_000;
const HEAP = '-Xms192m -Xmx384m';

/** Writes the settings of a broker into the drill's folder and formats its storage. @throws KilldrillError `KAFKA_FORMAT_FAILED` */
export async function installKafka(
  home: KafkaHome,
  folder: string,
  properties: KafkaProperties,
  clusterId: string,
): Promise<KafkaInstallation> {
  const installation = {
    ...{ home, folder },
    propertiesPath: join(folder, 'kafka.properties'),
    logPath: join(folder, 'kafka.log'),
  };
  const all = { ...properties, 'log.dirs': join(folder, 'kafka') };
  await writeFile(
    installation.propertiesPath,
    Object.entries(all)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  await writeFile(installation.logPath, '');
  try {
    const arguments_ = ['format', '--ignore-formatted', '-t', clusterId, '-c', installation.propertiesPath];
    await promisify(execFile)(join(home.folder, 'bin', 'kafka-storage.sh'), arguments_, {
      ...{ cwd: folder, env: environmentOf(folder), timeout: FORMAT_BOUND_MS, killSignal: 'SIGKILL' },
    });
  } catch (cause) {
    const { stderr, stdout } = cause as { readonly stderr?: string; readonly stdout?: string };
    const said = lastLines(`${stdout ?? ''}${stderr ?? ''}`) || messageOf(cause);
    throw new KilldrillError('KAFKA_FORMAT_FAILED', `Kafka's storage could not be formatted in ${folder}: ${said}`, {
      cause,
    });
  }
  return installation;
}

/** Starts the broker, in a group of its own: Ctrl-C reaches the harness only. @throws KilldrillError `KAFKA_START_FAILED` */
export function launchKafka({ home, folder, propertiesPath, logPath }: KafkaInstallation): KafkaProcess {
  const log = openSync(logPath, 'a');
  try {
    const child = spawn(join(home.folder, 'bin', 'kafka-server-start.sh'), [propertiesPath], {
      ...{ cwd: folder, env: environmentOf(folder), detached: true },
      stdio: ['ignore', log, log],
    });
    child.on('error', () => undefined); // a failed spawn shows in the missing pid
    const id = child.pid === undefined ? null : lookUpProcess(child.pid);
    if (id === null)
      throw new KilldrillError('KAFKA_START_FAILED', `${home.folder}/bin/kafka-server-start.sh could not be started`);
    let ended = false;
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => {
        ended = true;
        resolve();
      });
    });
    child.unref();
    return { id, exited, hasEnded: () => ended };
  } finally {
    closeSync(log);
  }
}

/** What the broker has said since its log had this length, for an error. */
export function saidSince(logPath: string, length: number): string {
  return lastLines(readFileSync(logPath).subarray(length).toString());
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-12).join('\n');
}

/** The whole environment of Kafka's scripts: nothing of the user's settings for other brokers leaks in. */
function environmentOf(folder: string): Record<string, string> {
  const { PATH = '/usr/bin:/bin', JAVA_HOME } = process.env;
  return {
    PATH,
    ...(JAVA_HOME === undefined ? {} : { JAVA_HOME }),
    KAFKA_HEAP_OPTS: HEAP,
    LOG_DIR: join(folder, 'kafka-logs'), // else the official scripts write beside themselves
    LC_ALL: 'C',
    TZ: 'UTC',
    [DRILL_FOLDER_VARIABLE]: folder,
  };
}
