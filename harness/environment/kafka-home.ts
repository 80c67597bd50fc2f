import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KilldrillError, messageOf } from '../../src/errors.ts';

/** An unpacked Apache Kafka and the Java that runs it. */
export interface KafkaHome {
  readonly folder: string;
  /** As its libraries are named, e.g. `4.1.1`. */
  readonly version: string;
  /** As it says itself, e.g. `17.0.19`. */
  readonly java: string;
}

const TOOLS = ['kafka-storage.sh', 'kafka-server-start.sh'] as const;
/** What a broker of Kafka 4 needs. */
const LEAST_JAVA = 17;
const LEAST_KAFKA = 3;
const MEND = 'unpack Apache Kafka from https://kafka.apache.org/downloads and set KAFKA_HOME to its folder';

/**
 * The Kafka that `KAFKA_HOME` names.
 *
 * @throws KilldrillError `KAFKA_HOME_MISSING` or `JAVA_MISSING`, with what to do about it.
 */
export async function findKafkaHome(environment: Readonly<NodeJS.ProcessEnv>): Promise<KafkaHome> {
  const folder = environment['KAFKA_HOME'] ?? '';
  if (folder === '') throw new KilldrillError('KAFKA_HOME_MISSING', `KAFKA_HOME is not set; ${MEND}`);
  const missing = TOOLS.find((tool) => !existsSync(join(folder, 'bin', tool)));
  if (missing !== undefined)
    throw new KilldrillError('KAFKA_HOME_MISSING', `KAFKA_HOME is ${folder}, which has no bin/${missing}; ${MEND}`);
  const version = versionOf(folder);
  if (Number.parseInt(version, 10) < LEAST_KAFKA) {
    const message = `KAFKA_HOME is ${folder}, Apache Kafka ${version}; expected ${LEAST_KAFKA}.x or later, which needs no ZooKeeper; ${MEND}`;
    throw new KilldrillError('KAFKA_HOME_MISSING', message);
  }
  return { folder, version, java: await findJava(environment) };
}

function versionOf(folder: string): string {
  const libraries = join(folder, 'libs');
  const names = existsSync(libraries) ? readdirSync(libraries) : [];
  const versions = names.flatMap((name) => /^kafka-clients-(\d[\w.-]*)\.jar$/.exec(name)?.[1] ?? []);
  if (versions[0] !== undefined) return versions[0];
  throw new KilldrillError(
    'KAFKA_HOME_MISSING',
    `KAFKA_HOME is ${folder}, which has no libs/kafka-clients-….jar; ${MEND}`,
  );
}

async function findJava(environment: Readonly<NodeJS.ProcessEnv>): Promise<string> {
  const home = environment['JAVA_HOME'] ?? '';
  const java = home === '' ? 'java' : join(home, 'bin', 'java');
  const mend = `install Java ${LEAST_JAVA} or later (a JRE will do), or set JAVA_HOME to it`;
  let said: string;
  try {
    const { stderr, stdout } = await promisify(execFile)(java, ['-version'], { timeout: 20_000 });
    said = `${stderr}${stdout}`;
  } catch (cause) {
    throw new KilldrillError(
      'JAVA_MISSING',
      `Kafka needs Java, but ${java} does not run (${messageOf(cause)}); ${mend}`,
      { cause },
    );
  }
  const version = /version "([^"]+)"/.exec(said)?.[1] ?? 'unknown';
  if (Number.parseInt(version, 10) >= LEAST_JAVA) return version;
  throw new KilldrillError(
    'JAVA_MISSING',
    `Kafka needs Java ${LEAST_JAVA} or later, and ${java} is ${version}; ${mend}`,
  );
}
