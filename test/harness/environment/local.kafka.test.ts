import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { startLocal } from '../../../harness/environment/local.ts';
import { commandLine, listProcesses } from '../../../harness/environment/process-table.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';
import { startOtherHarness } from '../../support/killed-harness.ts';
import { testEveryEnvironment, testServersOfItsOwn, withEnvironmentOf } from '../../support/environment-contract.ts';

const { kafka: why } = inject('infrastructure');

describe.skipIf(why !== null)(`the environment local${why === null ? '' : ` (${why})`}`, () => {
  const ground = withEnvironmentOf(startLocal);

  test('says what it is made of', () => {
    const { name, facts } = ground().environment;
    expect(name).toBe('local');
    expect(facts['postgres']).toMatch(/^PostgreSQL \d+\.\d+, embedded/);
    expect(facts['alert bus']).toMatch(/^Apache Kafka \d+\.\d+\.\d+, KRaft, one node, on Java \d+/);
  });

  testEveryEnvironment(ground);
  testServersOfItsOwn(ground);

  test('listens on the loopback only', () => {
    const listening = readdirSync(`/proc/${process.pid}/net`).includes('tcp')
      ? ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/${process.pid}/net/${table}`, 'utf8').split('\n'))
      : [];
    const settings = readFileSync(`${ground().folder}/kafka.properties`, 'utf8');
    const ports = [...settings.matchAll(/^listeners=(.*)$/gm)][0]?.[1]?.split(',') ?? [];
    expect(ports.length).toBeGreaterThan(10);
    for (const listener of ports) {
      expect(listener).toMatch(/^[A-Z0-9]+:\/\/127\.0\.0\.1:\d+$/);
      const port = Number(listener.split(':').at(-1)).toString(16).toUpperCase().padStart(4, '0');
      // proc(5): local_address is in field 2, and state 0A is listening
      const bound = listening
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${port}`));
      for (const [, local] of bound) expect(local).toMatch(/0100007F/);
    }
  });

  test('is ended by its guardian when its harness is killed, its folder included', async () => {
    const harness = await startOtherHarness('local');
    const left = () => listProcesses().filter(({ pid }) => commandLine(pid).includes(harness.folder));
    expect(left().some(({ pid }) => commandLine(pid).includes('kafka.Kafka'))).toBe(true);
    await harness.kill();
    const gone = () => left().length === 0 && !existsSync(harness.folder);
    expect(await waitUntil(gone, { boundMs: 10_000 })).toBe(true);
  });

  test('leaves an empty folder when it is closed, twice if asked', async () => {
    const { environment, guardian, folder, topics } = ground();
    await topics.drop();
    await environment.close();
    await environment.close();
    expect(readdirSync(folder)).toEqual([]);
    expect(await guardian.done()).toEqual({ forced: [], left: [], folderRemoved: true });
  });
});
