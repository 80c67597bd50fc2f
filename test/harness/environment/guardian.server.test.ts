import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import {
  DRILL_FOLDER_VARIABLE,
  chooseDrillFolder,
  makeDrillFolder,
} from '../../../harness/environment/drill-folder.ts';
import { startEmbeddedPostgres } from '../../../harness/environment/embedded-postgres.ts';
import { startGuardian } from '../../../harness/environment/guardian.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function start(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): ChildProcess {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return child;
}

/** What is left of a drill, found in another way than the guardian's: any trace of the folder's name in a process. */
function traces(folder: string): readonly string[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found = processes.filter((pid) => {
    const read = (look: () => string) => {
      try {
        return look();
      } catch {
        return '';
      }
    };
    const looks = [
      () => readFileSync(`/proc/${pid}/environ`, 'latin1'),
      () => readFileSync(`/proc/${pid}/cmdline`, 'latin1'),
      () => readlinkSync(`/proc/${pid}/cwd`),
      () => readlinkSync(`/proc/${pid}/exe`),
    ];
    return looks.some((look) => read(look).includes(folder));
  });
  return [...found.map((pid) => `process ${pid}`), ...(existsSync(folder) ? [folder] : [])];
}

async function expectNothingLeft(folder: string): Promise<void> {
  await waitUntil(() => traces(folder).length === 0, { boundMs: 5_000, everyMs: 25 });
  expect(traces(folder)).toEqual([]);
}

function startHarness(folder: string): { harness: ChildProcess; stage: (name: string) => Promise<boolean> } {
  const script = fileURLToPath(new URL('./guarded-harness.ts', import.meta.url));
  const harness = start(process.execPath, ['--import', 'tsx', script, folder]);
  const said: string[] = [];
  if (harness.stdout !== null) createInterface({ input: harness.stdout }).on('line', (line) => said.push(line));
  return { harness, stage: (name) => waitUntil(() => said.includes(name), { boundMs: 30_000, everyMs: 2 }) };
}

async function killAndReap(harness: ChildProcess): Promise<void> {
  const exit = once(harness, 'exit');
  harness.kill('SIGKILL');
  await exit;
}

describe('when the harness is killed with SIGKILL', () => {
  test.each(['guarded', 'workers', 'postgres', 'paused'])('nothing is left once it had said "%s"', async (name) => {
    const folder = chooseDrillFolder();
    const { harness, stage } = startHarness(folder);
    expect(await stage(name)).toBe(true);
    await killAndReap(harness);
    await expectNothingLeft(folder);
  });

  test('nothing is left while initdb runs', async () => {
    const folder = chooseDrillFolder();
    const { harness } = startHarness(folder);
    const initdbRuns = () => existsSync(`${folder}/data`) && readdirSync(`${folder}/data`).includes('PG_VERSION');
    expect(await waitUntil(initdbRuns, { boundMs: 30_000, everyMs: 2 })).toBe(true);
    await killAndReap(harness);
    await expectNothingLeft(folder);
  });

  // KILLDRILL_TEST_KILLS=200 for a long run; the moments cover start, copy, initdb, recovery and pause
  const kills = Number(process.env['KILLDRILL_TEST_KILLS'] ?? 4);
  test.each(Array.from({ length: kills }, (_, index) => Math.round(((index * 0.618_034) % 1) * 1_200)))(
    'nothing is left %i ms after its guardian was ready',
    async (delayMs) => {
      const folder = chooseDrillFolder();
      const { harness, stage } = startHarness(folder);
      expect(await stage('guarded')).toBe(true);
      await pause(delayMs);
      await killAndReap(harness);
      await expectNothingLeft(folder);
    },
  );

  test('nothing is left when it dies before its guardian is ready', async () => {
    const folder = chooseDrillFolder();
    const { harness } = startHarness(folder);
    expect(await waitUntil(() => traces(folder).length >= 2, { boundMs: 10_000, everyMs: 2 })).toBe(true);
    await killAndReap(harness);
    await expectNothingLeft(folder);
  });
});

describe('when the drill is done', () => {
  test('the guardian says what it had to force, and is gone itself', async () => {
    const folder = chooseDrillFolder();
    const guardian = await startGuardian({ folder });
    makeDrillFolder(folder);
    const worker = start('sleep', ['600'], { env: { PATH: process.env['PATH'], [DRILL_FOLDER_VARIABLE]: folder } });
    const report = await guardian.done();
    expect(report.forced).toEqual([{ pid: worker.pid, command: 'sleep 600' }]);
    expect(report).toMatchObject({ left: [], folderRemoved: true });
    expect(await guardian.done()).toBe(report);
    await expectNothingLeft(folder);
  });

  test('nothing takes force after an orderly end, and no shared memory stays after a kill', async () => {
    const folder = chooseDrillFolder();
    const guardian = await startGuardian({ folder });
    makeDrillFolder(folder);
    const postgres = await startEmbeddedPostgres({ folder, superuserPassword: 'secret' });
    const lockFile = readFileSync(`${folder}/data/postmaster.pid`, 'utf8').split('\n');
    const [key = 'none'] = (lockFile[6] ?? '').trim().split(/\s+/);
    const segments = () =>
      readFileSync('/proc/sysvipc/shm', 'utf8')
        .split('\n')
        .filter((row) => row.trim().startsWith(`${key} `));
    expect(segments()).toHaveLength(1);
    await postgres.kill();
    expect(await guardian.done()).toEqual({ forced: [], left: [], folderRemoved: true });
    expect(segments()).toHaveLength(0);
  });

  test('it never ends a process of another folder, even with a name that begins alike', async () => {
    const folder = chooseDrillFolder();
    const guardian = await startGuardian({ folder });
    makeDrillFolder(folder);
    const neighbour = `${folder}-too`;
    mkdirSync(neighbour);
    try {
      const env = { PATH: process.env['PATH'], [DRILL_FOLDER_VARIABLE]: neighbour };
      const bystanders = [
        start('sleep', ['600'], { cwd: neighbour, env }),
        start('sleep', ['600'], { env: { ...env, X: folder } }),
      ];
      expect(await guardian.done()).toEqual({ forced: [], left: [], folderRemoved: true });
      expect(bystanders.map(({ exitCode, signalCode }) => [exitCode, signalCode])).toEqual([
        [null, null],
        [null, null],
      ]);
      expect(existsSync(neighbour)).toBe(true);
    } finally {
      rmSync(neighbour, { recursive: true });
    }
  });

  test('the harness removes everything itself when somebody has killed the guardian', async () => {
    const folder = chooseDrillFolder();
    const guardian = await startGuardian({ folder });
    makeDrillFolder(folder);
    start('sleep', ['600'], { cwd: folder });
    process.kill(guardian.pid, 'SIGKILL');
    expect(await guardian.done()).toMatchObject({ left: [], folderRemoved: true });
  });

  test('signals that end a terminal leave the guardian at its post', async () => {
    const folder = chooseDrillFolder();
    const guardian = await startGuardian({ folder });
    makeDrillFolder(folder);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(guardian.pid, signal);
    expect(await guardian.done()).toEqual({ forced: [], left: [], folderRemoved: true });
  });
});

test.each([
  '/tmp',
  '/',
  '/tmp/kd-0',
  'kd-00000000000000000000000000000000',
  '/tmp/../tmp/kd-00000000000000000000000000000000',
])('it refuses to guard %s, which is no path of a drill', async (folder) => {
  await expect(startGuardian({ folder })).rejects.toMatchObject({ code: 'NOT_A_DRILL_FOLDER' });
});
