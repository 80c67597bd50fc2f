import { basename } from 'node:path';
import { describe, expect, inject, test, vi } from 'vitest';
import { startContainers } from '../../../harness/environment/containers.ts';
import { connectDocker, isAtWork, listDrillContainers } from '../../../harness/environment/docker-engine.ts';
import { chooseDrillFolder } from '../../../harness/environment/drill-folder.ts';
import { recover } from '../../../harness/environment/recover.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';
import { startOtherHarness } from '../../support/killed-harness.ts';
import { testEveryEnvironment, testServersOfItsOwn, withEnvironmentOf } from '../../support/environment-contract.ts';

const { containers: why } = inject('infrastructure');
const never = new AbortController().signal;

async function containersOf(folder: string) {
  const all = await listDrillContainers(await connectDocker());
  return all.filter(({ drill }) => drill === basename(folder));
}

describe.skipIf(why !== null)(`the environment containers${why === null ? '' : ` (${why})`}`, () => {
  const ground = withEnvironmentOf((parts) => startContainers(parts, never));

  test('says what it is made of', () => {
    const { name, facts } = ground().environment;
    expect(name).toBe('containers');
    expect(facts['postgres']).toMatch(/^PostgreSQL \d+\.\d+.*, image \S+/);
    expect(facts['alert bus']).toMatch(/^Apache Kafka, KRaft, one node, image \S+/);
  });

  test('names its containers after the drill, and marks them with its harness, which is at work', async () => {
    const containers = await containersOf(ground().folder);
    const drill = basename(ground().folder);
    expect(containers.map(({ name }) => name).toSorted()).toEqual([`${drill}-kafka`, `${drill}-postgres`]);
    for (const { harness } of containers) expect(isAtWork(harness)).toBe('yes');
  });

  test('publishes its ports on the loopback only', async () => {
    const { container } = await connectDocker();
    for (const { id } of await containersOf(ground().folder)) {
      const { NetworkSettings } = await container.dockerode.getContainer(id).inspect();
      const bound = Object.values(NetworkSettings.Ports).flatMap((ways) => ways ?? []);
      expect(bound.length).toBeGreaterThan(0);
      for (const { HostIp } of bound) expect(HostIp).toBe('127.0.0.1');
    }
  });

  testEveryEnvironment(ground);
  testServersOfItsOwn(ground);

  test('is not touched by a recovery while its harness is at work', async () => {
    const { removed } = await recover({}, []);
    expect(removed.filter((what) => what.includes(basename(ground().folder)))).toEqual([]);
    expect(await containersOf(ground().folder)).toHaveLength(2);
  });

  test('of a harness that was killed is removed by a recovery, and only that', async () => {
    const harness = await startOtherHarness('containers');
    expect(await containersOf(harness.folder)).toHaveLength(2);
    await harness.kill();
    const { removed, problems } = await recover({}, []);
    for (const server of ['kafka', 'postgres'])
      expect(removed).toContain(`container ${basename(harness.folder)}-${server}`);
    expect(problems).toEqual([]);
    expect(await containersOf(harness.folder)).toEqual([]);
    expect(await containersOf(ground().folder)).toHaveLength(2);
  });

  test('leaves nothing when its end is asked for while it starts', async () => {
    const over = new AbortController();
    const folder = chooseDrillFolder();
    const starting = startContainers({ folder }, over.signal);
    const settled = starting.then(() => 'started').catch(() => 'ended');
    const seen = await waitUntil(async () => (await containersOf(folder)).length > 0, { boundMs: 60_000 });
    expect(seen).toBe(true);
    over.abort(new Error('Ctrl-C'));
    expect(await settled).toBe('ended');
    expect(await containersOf(folder)).toEqual([]);
  });

  test('says which image is missing, and how to fetch it, when it must not do so itself', async () => {
    const folder = chooseDrillFolder();
    vi.stubEnv('KILLDRILL_KAFKA_IMAGE', 'killdrill.example/none:1');
    try {
      await expect(startContainers({ folder, download: false }, never)).rejects.toMatchObject({
        code: 'IMAGE_MISSING',
        message: expect.stringMatching(/killdrill\.example\/none:1 is not on this machine; 'docker pull/) as string,
      });
    } finally {
      vi.unstubAllEnvs();
    }
    expect(await containersOf(folder)).toEqual([]);
  });

  test('leaves no container when it is closed, twice if asked', async () => {
    await ground().environment.close();
    await ground().environment.close();
    expect(await containersOf(ground().folder)).toEqual([]);
  });
});
