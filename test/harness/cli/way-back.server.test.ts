import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { killdrillArgv } from '../../support/killdrill-argv.ts';
import type { NewTask } from '../../../src/store/store.ts';
import type { StoreHandles } from '../../src/store/contract/world.ts';
import { buildProgram } from '../../../harness/cli/program.ts';
import { columnsOf } from '../../../harness/report/wrap.ts';
import { exitCodeOf } from '../../../harness/cli/exit.ts';
import { sampleIntent, stopText } from '../../src/store/samples.ts';
import { openOperatorStore } from '../../../src/store/postgres/operator-store.ts';
import { PATIENT, prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';

const BOUND_MS = 60_000;
// Each of them starts the command several times, on a machine that others use too.
vi.setConfig({ testTimeout: 2 * BOUND_MS });
const CONTRACT = { model: 'm-1', prompt: 'p-1', tools: {} };
let database: PreparedDatabase;
let folder: string;
let namespace: string;
let store: StoreHandles;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-way-back-'));
  database = await prepareDatabase();
  return async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  };
});

beforeEach(async () => {
  namespace = `ns-${randomUUID()}`;
  await database.addNamespace(namespace);
  store = database.open(namespace);
  return () => store.close();
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command, as an operator runs it. */
function killdrill(args: readonly string[], url = database.flipperUrl): Promise<Ended> {
  const env = { ...process.env, KILLDRILL_DATABASE_URL: url, KILLDRILL_NAMESPACE: namespace };
  const child = spawn(process.execPath, [...killdrillArgv(), ...args], { env, timeout: BOUND_MS });
  const ended = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...ended }));
  });
}

/** The same within this process, which is quicker: it ends with this sentence and this exit code. */
async function expectRefusal(
  args: readonly string[],
  saying: RegExp,
  code = 3,
  url = database.flipperUrl,
): Promise<void> {
  const given = [...args, '--database', url, ...(args.includes('--namespace') ? [] : ['--namespace', namespace])];
  const refused = await buildProgram(() => expect.fail('it was not refused'))
    .parseAsync(given, { from: 'user' })
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  expect(refused).toMatchObject({ message: expect.stringMatching(saying) as string });
  expect(exitCodeOf(refused)).toBe(code);
}

function expectWidth80(text: string): void {
  for (const line of text.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80);
}

async function stop(parts: Parameters<typeof stopText>[1] = {}): Promise<string> {
  const id = randomUUID();
  await store.control.flip(stopText(namespace, { id, ...parts }), null);
  return id;
}

async function openIds(): Promise<readonly string[]> {
  return (await store.control.openEngagements()).map(({ flip: { id } }) => id);
}

function task(id: string, tenant = 'acme'): NewTask {
  return {
    ...{ id, kind: 'run', run: id, tenant, feature: null, agent: 'agent-1', lineage: [], capability: null, plan: [] },
    ...{ due: { kind: 'now' }, pastDue: 'fire', repeat: null },
  };
}

async function discard(...tasks: readonly NewTask[]): Promise<void> {
  const { head } = await store.flips.load();
  expect(await store.fence.enqueue(head, tasks)).toMatchObject({ kind: 'admitted' });
  await stop();
  while ((await store.tasks.sweep(1_000)).more);
}

describe('killdrill release', () => {
  test('lists what is open, and nothing of it goes where a terminal would obey it', async () => {
    expect(await killdrill(['release'])).toEqual({ code: 0, stdout: 'nothing is stopped\n', stderr: '' });
    const id = await stop({ scope: 'tenant', target: 'ac\u001b[31mme', reason: 'it writes\n"what" nobody asked for' });
    const { code, stdout } = await killdrill(['release']);
    expect(code).toBe(0);
    expect(stdout).toContain(id);
    expect(stdout).not.toContain('\u001b');
    expectWidth80(stdout);
    const json = await killdrill(['release', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject([{ revision: 1, flip: { id, target: 'ac\u001b[31mme' } }]);
  });

  test('closes the engagements that it names', async () => {
    const [one, two, three] = [await stop(), await stop({ scope: 'tenant', target: 'acme' }), await stop()];
    const { code, stdout } = await killdrill(['release', one, two, '--reason', 'rolled back', '--by', "o'p", '--json']);
    expect({ code, stdout: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      stdout: { namespace, revision: 4, engagements: [one, two] },
    });
    expect(await openIds()).toEqual([three]);
  });

  test('expands a switch into what it saw there, and says so', async () => {
    const on = { scope: 'tenant', target: 'acme' } as const;
    const [one, two, other] = [await stop(on), await stop(on), await stop({ scope: 'tenant', target: 'other' })];
    const { code, stdout, stderr } = await killdrill(['release', 'tenant', 'acme', '--reason', 'rolled back']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `released at revision 4: ${one}, ${two}\n` });
    expect(stderr).toMatch(new RegExp(`^releases ${one} \\(tenant:acme halt_all, operator.*\nreleases ${two}`));
    expect(await openIds()).toEqual([other]);
    await expectRefusal(
      ['release', 'tenant', 'acme', '--reason', 'again'],
      /^nothing is open on tenant:acme; open: tenant:other/,
    );
  });

  test('refuses what is not there, and closes nothing', async () => {
    const one = await stop();
    await expectRefusal(
      ['release', one, 'nobody', '--reason', 'x'],
      /^the release names engagements that are not open: 'nobody' \(unknown\); name only those that are/,
    );
    const ended = await killdrill(['release', 'nobody', '--reason', 'x']);
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toMatch(/^killdrill: [^\n]*'nobody'[^\n]*\n$/);
    expect((await killdrill(['release', '\u001b[31m', '--reason', 'x'])).stderr).not.toContain('\u001b');
    await expectRefusal(['release', one], /no reason is given; say why with --reason TEXT/);
    await expectRefusal(['release', 'tenant', '--reason', 'x'], /expected one target after it/);
    await expectRefusal(['release', 'global', 'acme', '--reason', 'x'], /expected one target after it/);
    await expectRefusal(['release', one, '--reason', 'x', '--by', ''], /triggeredBy/);
    expect(await openIds()).toEqual([one]);
  });

  test('that is red exits with 1, and goes through with a reason', async () => {
    const operator = openOperatorStore({ connectionString: database.flipperUrl, namespace, timings: PATIENT });
    try {
      await operator.declareContract(CONTRACT, { by: 'op', reason: '' });
    } finally {
      await operator.close();
    }
    await stop();
    await expectRefusal(['release', 'global', '--reason', 'x'], /^the release is red: .*model "m-1".*even if red/, 1);
    const even = await killdrill(['release', 'global', '--reason', 'x', '--even-if-red', 'the customer insists']);
    expect(even).toMatchObject({ code: 0 });
    expect(await openIds()).toEqual([]);
  });

  test('says what is wrong with the way to the store', async () => {
    await expectRefusal(['release'], /no database is named; give --database URL/, 3, '');
    await expectRefusal(['release'], /the database URL cannot be read; expected postgres:/, 3, 'http://u:secret@[');
    await expectRefusal(['release', '--namespace', 'nowhere'], /namespace 'nowhere' is not in this database/);
    await expectRefusal(['release'], /needs membership of .*killdrill_flipper/, 4, database.workerUrl);
    await expectRefusal(['release'], /no answer from PostgreSQL/, 4, 'postgres://op@127.0.0.1:1/x');
  });
});

describe('killdrill resume', () => {
  test('brings back runs, a tenant, or everything, staged', async () => {
    await discard(task('a'), task('b', 'other'), task('c', 'third'), task('d', 'third'));
    const named = await killdrill(['resume', 'a', '--reason', 'mended']);
    expect(named).toMatchObject({
      code: 0,
      stdout: 'resumed 1 tasks of 1 runs, due now; 1 of them are parked, since a stop that is open covers them\n',
    });
    const tenant = await killdrill(['resume', '--tenant', 'other', '--reason', 'mended', '--json']);
    expect(JSON.parse(tenant.stdout)).toEqual({ tasks: 1, runs: ['b'], lastDueInMs: 0, parked: 1 });
    const all = await killdrill(['resume', '--all-discarded', '--rate', '0.01/s', '--reason', 'mended']);
    expect(all.stdout).toMatch(/^resumed 2 tasks of 2 runs, the last is due in \d+(ms|s)/);
    const nothing = await killdrill(['resume', '--all-discarded', '--tenants-every', '5s', '--reason', 'mended']);
    expect(nothing).toMatchObject({ code: 0, stdout: 'nothing was discarded there; nothing is resumed\n' });
  });

  test('refuses a run that was never stopped, and words that are off', async () => {
    await discard(task('a'));
    await expectRefusal(
      ['resume', 'a', 'nobody', '--reason', 'x'],
      /^nothing is resumed, since these runs have nothing that was discarded: 'nobody' \(unknown here\)/,
    );
    const cases: readonly (readonly [args: readonly string[], saying: RegExp])[] = [
      [['resume', '--reason', 'x'], /names nothing; expected runs/],
      [['resume', 'a'], /no reason is given/],
      [['resume', 'a', '--tenant', 'acme', '--reason', 'x'], /more than one of them/],
      [['resume', 'a', '--rate', '5', '--reason', 'x'], /--rate is '5'; expected tasks a second, such as 50\/s/],
      [['resume', 'a', '--rate', '0/s', '--reason', 'x'], /--rate is '0\/s'/],
      [['resume', 'a', '--tenants-every', 'long', '--reason', 'x'], /--tenants-every is 'long'; expected a time/],
      [['resume', 'a', '--rate', '5/s', '--tenants-every', '5s', '--reason', 'x'], /drop one/],
    ];
    for (const [args, saying] of cases) await expectRefusal(args, saying);
  });
});

describe('killdrill ledger', () => {
  test('shows what landed and what nobody knows of, as a table, CSV or JSON', async () => {
    const { head } = await store.flips.load();
    await store.fence.admitIntents(namespace, head, [
      sampleIntent(1),
      sampleIntent(2, { run: '=cmd|x', tenant: 'a"b\n,c' }),
    ]);
    await store.outcomes.record(namespace, [{ seq: 1, kind: 'landed', detail: null }]);
    await stop({ scope: 'tenant', target: 'other' });
    const table = await killdrill(['ledger']);
    expect(table).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/run-1 \(acme\)/) as string,
      stderr: '1 effects landed, 1 are unknown; 0 have a compensation\n',
    });
    expectWidth80(table.stdout);
    const csv = await killdrill(['ledger', '--csv']);
    expect(csv.stdout.split('\r\n')).toEqual([
      expect.stringMatching(/^at,afterRevision,run,tenant/),
      expect.stringMatching(/,0,run-1,acme,,agent-1,write\/mail,write,landed,key-1,/),
      expect.stringMatching(/,0,'=cmd\|x,"a""b\n,c",,/),
      '',
    ]);
    const json = await killdrill(['ledger', '--since', '0', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject([{ seq: 1 }, { seq: 2, run: '=cmd|x', outcome: 'unknown' }]);
    expect(await killdrill(['ledger', '--since', '1'])).toMatchObject({ code: 0, stdout: '' });
    expect(JSON.parse((await killdrill(['ledger', '--since', '1', '--json'])).stdout)).toEqual([]);
    await expectRefusal(['ledger', '--since', '-1'], /--since is '-1'; expected a whole number/);
    await expectRefusal(['ledger', '--since', '9'], /--since is 9, but .* is at revision 1/);
    await expectRefusal(['ledger', '--csv', '--json'], /drop one/);
  });
});

describe('killdrill migrate --critical', () => {
  const write = (name: string, text: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  test('declares what passes a halt_noncritical', async () => {
    const file = write(
      'critical.yaml',
      "capabilities: [read/crm, write/*]\nclasses: { money: ['feature:billing', 'tenant:a:b'] }\n",
    );
    const { code, stdout } = await killdrill(['migrate', '--critical', file, '--json'], database.ownerUrl);
    expect({ code, stdout: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      stdout: {
        ...{ namespace, applied: [], version: expect.any(Number) as number },
        critical: {
          capabilities: ['read/crm', 'write/*'],
          classes: [
            { name: 'money', scope: 'feature', target: 'billing' },
            { name: 'money', scope: 'tenant', target: 'a:b' },
          ],
        },
      },
    });
    expect((await store.flips.load()).critical).toEqual(['read/crm', 'write/*']);
    const again = await killdrill(['migrate', '--critical', write('empty.yaml', '')], database.ownerUrl);
    expect(again.stdout).toMatch(/critical from now on: 0 capabilities, 0 switches/);
    expect((await store.flips.load()).critical).toEqual([]);
  });

  test('says where a file is wrong, and changes nothing', async () => {
    mkdirSync(join(folder, 'folder'), { recursive: true });
    const cases: readonly (readonly [file: string, saying: RegExp])[] = [
      [join(folder, 'nowhere.yaml'), /nowhere\.yaml: the critical rules cannot be read.*no such file/],
      [join(folder, 'folder'), /no ordinary file/],
      ['/dev/zero', /no ordinary file/],
      [write('bytes.yaml', new Uint8Array([0xff, 0xfe, 0])), /bytes\.yaml: .*cannot be read/],
      [write('broken.yaml', '{{{'), /broken\.yaml:1:\d+: /],
      [write('list.yaml', '- a'), /list\.yaml:1:1: found a list of 1/],
      [write('key.yaml', 'capabilitys: []'), /key\.yaml:1:1: .*'capabilitys'.*did you mean 'capabilities'/],
      [
        write('scope.yaml', "classes: { a: ['tenannt:x'] }"),
        /scope\.yaml:1:\d+: classes\.a\[0\].*did you mean 'tenant'/,
      ],
      [write('star.yaml', "capabilities: ['*']"), /capability "\*" is no path such as read\/crm/],
      [write('selector.yaml', 'classes: { a: [$busiest] }'), /\$busiest is found out by a drill/],
      [write('twice.yaml', 'capabilities: []\ncapabilities: []'), /twice\.yaml:2:1: found a key that is there already/],
    ];
    for (const [file, saying] of cases) {
      await expectRefusal(['migrate', '--critical', file], saying, 3, database.ownerUrl);
    }
    expect((await store.flips.load()).critical).toEqual([]);
  });
});
