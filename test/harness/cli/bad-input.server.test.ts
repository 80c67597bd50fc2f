import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { exitCodeOf } from '../../../harness/cli/exit.ts';
import { buildProgram } from '../../../harness/cli/program.ts';
import { makePrng } from '../../../harness/traffic/prng.ts';
import { KilldrillError, messageOf } from '../../../src/errors.ts';
import { prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';

vi.setConfig({ testTimeout: 240_000 });
const CASES = 300;
const SEED = 20_261_122;
const SECRET = 'hunter2hunter2';
let database: PreparedDatabase;
let folder: string;
let namespace: string;

const outputs = vi.hoisted(() => ({ text: '' }));
vi.mock('../../../harness/cli/output.ts', async (importActual) => ({
  ...(await importActual<object>()),
  data: (text: string) => void (outputs.text += `${text}\n`),
  note: (text: string) => void (outputs.text += `${text}\n`),
}));

beforeAll(async () => {
  database = await prepareDatabase();
  namespace = `ns-${randomUUID()}`;
  await database.addNamespace(namespace);
  folder = mkdtempSync(join(tmpdir(), 'killdrill-bad-'));
  writeFiles();
  return async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  };
});
afterEach(() => void vi.unstubAllEnvs());

function writeFiles(): void {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = { format: 'pem', type: 'pkcs8' } as const;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
  const files = {
    'good.pem': privateKey.export(pem),
    'rsa.pem': rsa.export(pem),
    'locked.pem': privateKey.export({ ...pem, cipher: 'aes-256-cbc', passphrase: SECRET }),
    ...{ empty: '', junk: `${SECRET}\n`, 'list.json': `[{"name":"${SECRET}","kind":"stop","sha256":"${SECRET}"}]` },
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  writeFileSync(join(folder, 'open.pem'), privateKey.export(pem), { mode: 0o644 });
  writeFileSync(join(folder, 'long'), Buffer.alloc(2_000_000, SECRET), { mode: 0o600 });
  mkdirSync(join(folder, 'folder'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
}

const WORDS = [
  '',
  ' ',
  'x'.repeat(400),
  '\u001B]0;x\u0007',
  'a\nb',
  '💥',
  '*',
  '-1',
  '1e9',
  '__proto__',
  '--',
  'tenant',
];
const TIMES = ['', '0s', '-1s', '1', '1h', '0.0001ms', 'soon', '\u001B[2J'];
const KEYS = [
  'junk',
  SECRET,
  'x'.repeat(9_000),
  `stop:${SECRET}`,
  'stop:',
  ':::',
  ',,',
  `-----BEGIN PRIVATE KEY-----\n${SECRET}`,
];
const URLS = [
  ...['junk', ' ', '\u001B[2J', 'x'.repeat(9_000), `u:${SECRET}@localhost/db`, `http://u:${SECRET}@127.0.0.1:1`],
  ...[`postgres://u:${SECRET}@127.0.0.1:1/x`, `postgres://u:${SECRET}@127.0.0.1:99999/x`, `postgres:/u:${SECRET}@h/x`],
  ...[`postgres://u:${SECRET}%zz@127.0.0.1:1/x`, `postgres://u:${SECRET}@127.0.0.1:1@b/x`, 'http://[::1', 'ftp://x'],
];
const files = (): readonly string[] => [
  ...[
    'good.pem/x',
    'rsa.pem',
    'locked.pem',
    'open.pem',
    'empty',
    'junk',
    'list.json',
    'long',
    'folder',
    'pipe',
    'no/x',
    ' ',
    '\u001B[31mred',
    'a\nb',
    'x'.repeat(5_000),
  ].map((name) => join(folder, name)),
  ...['/dev/zero', '/dev/null'],
];

interface BadCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Ways to be wrong, each with one thing that is. */
function ways(): readonly ((pick: (from: readonly string[]) => string) => BadCommand)[] {
  const halt = ['halt', 'run', 'r', '--give-up-after', '30ms'];
  const at = (args: readonly string[], env: Readonly<Record<string, string>> = {}): BadCommand => ({ args, env });
  const variable =
    (name: string, from: () => readonly string[], args = halt) =>
    (pick: (from: readonly string[]) => string) =>
      at(args, { [name]: pick(from()) });
  const detector = { KILLDRILL_DETECTOR: 'd', KILLDRILL_DETECTOR_KEY: join(folder, 'good.pem') };
  const api = { KILLDRILL_CONTROL_URL: 'http://127.0.0.1:1', KILLDRILL_STOP_KEY: SECRET };
  return [
    variable('KILLDRILL_DATABASE_URL', () => URLS),
    variable('KILLDRILL_DATABASE_URL', () => URLS, ['release', 'x', '--reason', 'x']),
    variable('KILLDRILL_STATE_FILE', files),
    variable('KILLDRILL_KEPT', files),
    variable('KILLDRILL_SIGNING_KEY_FILE', files),
    variable('KILLDRILL_SIGNING_KEY_FILE', files, ['audit', 'sign']),
    variable('KILLDRILL_PUBLIC_KEY', () => KEYS, ['audit', 'verify']),
    variable('KILLDRILL_NAMESPACE', () => WORDS),
    (pick) => at(halt, { ...api, KILLDRILL_CONTROL_URL: pick(URLS) }),
    (pick) => at(halt, { ...api, KILLDRILL_STOP_KEY: pick([...WORDS, `\u0001${SECRET}`]) }),
    (pick) => at(halt, { ...detector, KILLDRILL_DETECTOR_KEY: pick(files()) }),
    (pick) => at(halt, { ...detector, KILLDRILL_DETECTOR: pick(WORDS) }),
    (pick) =>
      at([...halt, pick(['--mode', '--queue', '--drain', '--by', '--namespace', '--key', '--nothing']), pick(WORDS)]),
    (pick) => at(['halt', pick(WORDS), pick(WORDS), '--give-up-after', '30ms']),
    (pick) => at([...halt.slice(0, 3), pick(['--give-up-after', '--deadline']), pick(TIMES)]),
    (pick) => at(['status', '--wait', pick(TIMES)]),
    (pick) => at(['release', pick(WORDS), pick(WORDS), '--reason', 'x']),
    (pick) => at(['ledger', pick(['--since', '--close']), pick(WORDS), '--reason', 'x']),
    (pick) => at(['resume', pick(WORDS), '--rate', pick([...TIMES, ...WORDS]), '--reason', 'x']),
    (pick) => at(['keys', 'show', pick(files()), '--right', 'stop']),
    (pick) => at(['keys', 'make', pick(files().filter((path) => path.startsWith(folder))), '--right', 'stop']),
    (pick) => at(['api-key', 'stop', pick(WORDS), '--keys', join(folder, 'list.json')]),
    (pick) => at(['serve', '--port', '0', '--keys', pick(files())]),
    (pick) => at(['serve', '--port', '0', '--keys', join(folder, 'list.json'), '--executor', pick(files())]),
    (pick) => at(['migrate', '--critical', pick(files())]),
  ];
}

interface Result {
  readonly code: number;
  readonly text: string;
  /** Anything but the command's own errors. */
  readonly surprise: unknown;
}

async function run({ args, env }: BadCommand): Promise<Result> {
  const base = { KILLDRILL_DATABASE_URL: database.flipperUrl, KILLDRILL_NAMESPACE: namespace };
  const variables = { ...base, KILLDRILL_KEPT: join(folder, 'kept'), ...env };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  outputs.text = '';
  const written = vi.spyOn(process.stderr, 'write').mockImplementation((text) => (outputs.text += String(text)) !== '');
  let [code, surprise]: [number, unknown] = [-1, null];
  try {
    await buildProgram((exitCode) => (code = exitCode)).parseAsync([...args], { from: 'user' });
  } catch (thrown) {
    code = exitCodeOf(thrown);
    if (thrown instanceof CommanderError) code = 3;
    else if (!(thrown instanceof KilldrillError)) surprise = thrown;
    outputs.text += messageOf(thrown).replaceAll(/[\u0000-\u001F]/g, '?'); // as main() prints it
  } finally {
    written.mockRestore();
    vi.unstubAllEnvs();
  }
  return { code, text: outputs.text, surprise };
}

test(`commands with something wrong in them end with a code of their own, a sentence, and no secret (${CASES}, seed ${SEED})`, async () => {
  const prng = makePrng(SEED);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(prng.uniform() * from.length)]!;
  const found = ways();
  const codes = new Map<number, number>();
  for (let nth = 0; nth < CASES; nth += 1) {
    const bad = found[nth % found.length]!(pick);
    const { code, text, surprise } = await run(bad);
    const shown = JSON.stringify(bad);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    expect(surprise, shown).toBeNull();
    expect([0, 1, 2, 3, 4], shown).toContain(code);
    expect(text.trim(), shown).not.toBe('');
    expect(text, shown).not.toContain(SECRET);
    expect(text, shown).not.toMatch(/\n\s+at /);
    expect(text, shown).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/);
  }
  expect(codes.get(3)).toBeGreaterThan(CASES / 5);
});
