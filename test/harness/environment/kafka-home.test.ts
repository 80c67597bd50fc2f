import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findKafkaHome } from '../../../harness/environment/kafka-home.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kafka-home-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function unpack(version: string, tools: readonly string[] = ['kafka-storage.sh', 'kafka-server-start.sh']): string {
  const home = join(folder, 'kafka');
  for (const part of ['bin', 'libs']) mkdirSync(join(home, part), { recursive: true });
  for (const tool of tools) writeFileSync(join(home, 'bin', tool), '');
  writeFileSync(join(home, 'libs', `kafka-clients-${version}.jar`), '');
  return home;
}

/** A Java that only says its version, on stderr as the real one does. */
function install(version: string): string {
  const home = join(folder, 'java');
  mkdirSync(join(home, 'bin'), { recursive: true });
  writeFileSync(join(home, 'bin', 'java'), `#!/bin/sh\necho 'openjdk version "${version}" 2025-01-01' >&2\n`);
  chmodSync(join(home, 'bin', 'java'), 0o755);
  return home;
}

describe('the Kafka of KAFKA_HOME', () => {
  test('is known by its version and the Java that runs it', async () => {
    const home = unpack('4.1.1');
    expect(await findKafkaHome({ KAFKA_HOME: home, JAVA_HOME: install('17.0.19') })).toEqual({
      folder: home,
      version: '4.1.1',
      java: '17.0.19',
    });
  });

  test.each([
    ['is not set', () => ({})],
    ['is empty', () => ({ KAFKA_HOME: '' })],
    ['has no tools', () => ({ KAFKA_HOME: unpack('4.1.1', ['kafka-storage.sh']) })],
    ['is a Kafka that needs ZooKeeper', () => ({ KAFKA_HOME: unpack('2.8.0') })],
    ['is not there', () => ({ KAFKA_HOME: join(folder, 'nowhere') })],
  ])('is refused when it %s, with how to mend it', async (_, variables) => {
    const refusal = expect(findKafkaHome(variables())).rejects;
    await refusal.toMatchObject({
      code: 'KAFKA_HOME_MISSING',
      message: expect.stringContaining('unpack Apache Kafka from https://kafka.apache.org/downloads'),
    });
  });

  test.each([
    ['too old', () => install('11.0.2')],
    ['not there', () => join(folder, 'nowhere')],
  ])('is refused when its Java is %s, with how to mend it', async (_, javaHome) => {
    const found = findKafkaHome({ KAFKA_HOME: unpack('4.1.1'), JAVA_HOME: javaHome() });
    await expect(found).rejects.toMatchObject({
      code: 'JAVA_MISSING',
      message: expect.stringContaining('install Java 17'),
    });
  });
});
