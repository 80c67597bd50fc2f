import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startEnvironment } from '../../../harness/environment/choose.ts';
import type { Guardian } from '../../../harness/environment/guardian.ts';

/** Whether images might be fetched, each time that containers were asked for. */
const downloads = vi.hoisted((): unknown[] => []);
vi.mock('../../../harness/environment/containers.ts', () => ({
  startContainers: ({ download }: { readonly download: unknown }) => {
    downloads.push(download);
    return Promise.reject(new Error('no Docker engine answers; start Docker'));
  },
}));
vi.mock('../../../harness/environment/embedded.ts', () => ({
  startEmbedded: () => Promise.resolve({ name: 'embedded', facts: { environment: 'embedded', postgres: 'x' } }),
}));

const folder = mkdtempSync(join(tmpdir(), 'choose-'));
const guardian: Guardian = {
  pid: 0,
  watch: () => undefined,
  done: () => Promise.resolve({ forced: [], left: [], folderRemoved: true }),
};
const ground = { folder, guardian };
const never = new AbortController().signal;

afterEach(() => {
  downloads.length = 0;
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('auto', () => {
  test('takes the first environment that works, and says why not those before it', async () => {
    vi.stubEnv('KAFKA_HOME', '');
    const { name, facts } = await startEnvironment('auto', ground, never);
    expect(name).toBe('embedded');
    expect(facts['postgres']).toBe('x');
    expect(facts['environment']).toBe(
      'embedded; chosen by auto: not containers: no Docker engine answers; start Docker; not local: KAFKA_HOME is not set; unpack Apache Kafka from https://kafka.apache.org/downloads and set KAFKA_HOME to its folder',
    );
  });

  test('never goes to servers of the user', async () => {
    vi.stubEnv('KAFKA_HOME', '');
    vi.stubEnv('KILLDRILL_DRILL_DATABASE_URL', 'postgres://a:b@127.0.0.1:1');
    expect((await startEnvironment('auto', ground, never)).name).toBe('embedded');
  });

  test('downloads nothing, which a name does', async () => {
    vi.stubEnv('KAFKA_HOME', '');
    await startEnvironment('auto', ground, never);
    await expect(startEnvironment('containers', ground, never)).rejects.toThrow('no Docker engine');
    expect(downloads).toEqual([false, true]);
  });

  test('tries nothing more once the end was asked for', async () => {
    const over = AbortSignal.abort(new Error('Ctrl-C'));
    await expect(startEnvironment('auto', ground, over)).rejects.toThrow('Ctrl-C');
  });
});

test('an environment that was named is that one or an error, never another', async () => {
  vi.stubEnv('KAFKA_HOME', '');
  await expect(startEnvironment('local', ground, never)).rejects.toMatchObject({ code: 'KAFKA_HOME_MISSING' });
  await expect(startEnvironment('containers', ground, never)).rejects.toThrow('no Docker engine');
});
