import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('../../', import.meta.url));
const OFFLINE = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ENOTCACHED)\b/;
/** A user of the package, compiled against the types that it ships. */
const USER = `
import { HaltedError, Runtime, connectWorkerStore } from 'killdrill';
import type { Effect } from 'killdrill';
const url = 'postgres://worker@127.0.0.1:1/agents';
const store = await connectWorkerStore({ namespace: 'n', registryUrl: url, databaseUrl: url });
const { gate } = new Runtime(store, { namespace: 'n', incarnation: 'one' });
const effect: Effect = { capability: 'write/mail', access: 'write', idempotencyKey: '1', deadlineMs: 1_000 };
const sent: number = await gate.enter({ run: 'r', agent: 'a' }, () => gate.run(effect, async ({ signal }) => (signal.aborted ? 0 : 1)));
// @ts-expect-error -- there is no call without a deadline; unused if the types were lost on the way
await gate.run({ capability: 'write/mail', access: 'write', idempotencyKey: '2' }, async () => 1);
export const halted = (error: unknown): boolean => error instanceof HaltedError && !error.retryable && sent > 0;
`;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
let packed: readonly string[] = [];
let installed: Ended;
let offline = false;

beforeAll(async () => {
  if (!existsSync(join(project, 'dist/harness/cli/main.js'))) throw new Error('there is no dist/; run `npm run build`');
  folder = await mkdtemp(join(tmpdir(), 'killdrill-package-'));
  await chmod(folder, 0o711); // as root, PostgreSQL's user has to pass to tmp/
  for (const name of ['home', 'tmp', 'user']) await mkdir(join(folder, name), { mode: 0o711 });
  await writeFile(join(folder, 'user/package.json'), '{ "name": "user", "private": true, "type": "module" }\n');
  // pretest has just built dist/; building it again under tests that run from it would break them
  const pack = await npm(project, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder);
  const [made] = JSON.parse(pack.stdout) as readonly { filename: string; files: readonly { path: string }[] }[];
  packed = (made?.files ?? []).map(({ path }) => path);
  installed = await npm(join(folder, 'user'), 'install', join(folder, made?.filename ?? ''));
  offline = installed.code !== 0 && OFFLINE.test(installed.stderr) && process.env['CI'] === undefined;
}, 180_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** As somebody else: a home, a cache and a temporary folder of their own, and nothing of this npm run's environment. */
function npm(cwd: string, ...args: readonly string[]): Promise<Ended> {
  const own = ([name]: readonly [string, unknown]): boolean =>
    /^npm_config_(?:registry|cafile)$/i.test(name) ||
    !/^(?:npm_|KILLDRILL_|XDG_|VITEST|NODE_OPTIONS|NODE_ENV)/.test(name);
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(own)),
    HOME: join(folder, 'home'),
    TMPDIR: join(folder, 'tmp'),
    npm_config_cache: join(folder, 'home/.npm'),
    npm_config_userconfig: join(folder, 'home/.npmrc'),
  };
  return new Promise((resolve) => {
    execFile('npm', args, { cwd, env, timeout: 150_000, maxBuffer: 1e8 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

/** The installed command, as `npx killdrill …`. */
function killdrill(...args: readonly string[]): Promise<Ended> {
  return npm(join(folder, 'user'), 'exec', '--offline', '--', 'killdrill', ...args);
}

describe('the package', () => {
  it('holds what runs and what is read, and nothing of the workshop', () => {
    const needed = [
      'LICENSE',
      'README.md',
      'dist/src/index.js',
      'dist/src/index.d.ts',
      'dist/fleet-sim/main.js',
      'dist/fleet-sim/executor-main.js',
      'action.yml',
      'templates/github-workflow.yml',
      'templates/gitlab-ci.yml',
      'templates/first-stop.yaml',
      'templates/gate.yaml',
    ];
    expect(packed).toEqual(expect.arrayContaining([...needed, 'scenarios/tenant-halt.yaml']));
    expect(packed.some((path) => path.startsWith('src/store/postgres/migrations/') && path.endsWith('.sql'))).toBe(
      true,
    );
    expect(packed.filter((path) => /^(?:test|bench|docs|reports|\.ci)\/|\.test\./.test(path))).toEqual([]);
  });

  it('runs a drill from outside of the repository, with a new cache and a new home', async (context) => {
    context.skip(offline, 'the package registry cannot be reached: the tarball was not installed');
    expect(installed).toMatchObject({ code: 0 });
    const version = await killdrill('--version');
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
    expect(await killdrill('validate')).toMatchObject({ code: 0 });
    const drill = await killdrill(
      'run',
      'global-halt',
      '--environment',
      'embedded',
      '--hold',
      '3s',
      '--out',
      join(folder, 'out'),
      '-q',
      '--json',
    );
    expect(drill).toMatchObject({ code: 0 });
    expect(JSON.parse(drill.stdout)).toMatchObject({
      version: 1,
      scenario: 'global-halt',
      verdict: 'pass',
      exitCode: 0,
    });
  });

  it('ships types that a strict user compiles against', async (context) => {
    context.skip(offline, 'the package registry cannot be reached: the tarball was not installed');
    await writeFile(join(folder, 'user/main.ts'), USER);
    const tsc = join(project, 'node_modules/typescript/bin/tsc');
    const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
    const compiled = await new Promise<string>((resolve) => {
      const cwd = join(folder, 'user');
      execFile(process.execPath, [tsc, ...flags, 'main.ts'], { cwd, timeout: 60_000 }, (_, stdout) => resolve(stdout));
    });
    expect(compiled).toBe('');
  });
});
