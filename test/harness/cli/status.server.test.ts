import { randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { buildProgram } from '../../../harness/cli/program.ts';
import { exitCodeOf } from '../../../harness/cli/exit.ts';
import { columnsOf } from '../../../harness/report/wrap.ts';
import { Runtime } from '../../../src/runtime.ts';
import { connectWorkerStore } from '../../../src/store/postgres/worker-store.ts';
import type { StoreHandles } from '../../src/store/contract/world.ts';
import { PATIENT } from '../../src/store/postgres/prepared-database.ts';
import { namespaceEach } from '../../src/store/postgres/namespace-each.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { SOMEBODY, sampleIntent, stopText } from '../../src/store/samples.ts';

const BOUND_MS = 60_000;
vi.setConfig({ testTimeout: BOUND_MS });
let database: PreparedDatabase;
let namespace: string;
let store: StoreHandles;

namespaceEach((ground) => ({ database, namespace, store } = ground));

interface Ended {
  readonly code: number;
  readonly stdout: string;
}

/** The command, within this process. */
async function killdrill(args: readonly string[], url = database.flipperUrl): Promise<Ended> {
  const written = { stdout: '' };
  outputs.write = (fd, text) => {
    if (fd === 1) written.stdout += text;
  };
  let code = -1;
  try {
    const program = buildProgram((exitCode) => (code = exitCode));
    await program.parseAsync([...args, '--database', url, '--namespace', namespace], { from: 'user' });
  } catch (error) {
    code = exitCodeOf(error);
  } finally {
    outputs.write = null;
  }
  return { code, ...written };
}

const outputs = vi.hoisted(() => ({ write: null as ((fd: number, text: string) => void) | null }));
vi.mock('../../../harness/cli/output.ts', async (importActual) => ({
  ...(await importActual<object>()),
  data: (text: string) => outputs.write?.(1, `${text}\n`),
  note: (text: string) => outputs.write?.(2, `${text}\n`),
}));

async function withWorker<T>(name: string, work: (runtime: Runtime) => Promise<T>): Promise<T> {
  const urls = { registryUrl: database.workerUrl, databaseUrl: database.workerUrl };
  const runtime = new Runtime(await connectWorkerStore({ ...urls, namespace, timings: PATIENT }), {
    ...{ namespace, incarnation: `${name}-${randomUUID()}`, worker: name, version: '1.2.3', leaseMs: 10_000 },
  });
  try {
    await runtime.ready(20_000);
    return await work(runtime);
  } finally {
    await runtime.close();
  }
}

describe('status', () => {
  test('says what is stopped, how far that has come, who is there, and when a stop was last proven', async () => {
    await withWorker('worker-1', async () => {
      await killdrill(['migrate', '--expected', 'default=1', '--closed'], database.ownerUrl);
      await store.control.flip(stopText(namespace, { scope: 'tenant', target: 'acme' }), null);
      const { code, stdout } = await killdrill(['status', '--wait', '20s']);
      expect(code).toBe(0);
      for (const words of [
        'EFFECTIVE',
        'tenant:acme halt_all',
        'worker-1',
        'confirmed',
        '1.2.3',
        'journal-free reads',
      ]) {
        expect(stdout).toContain(words);
      }
      expect(stdout).toContain('not proven able to halt');
      for (const line of stdout.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80);
      expect((await killdrill(['status', '--prove'])).stdout).toMatch(/last proven able to halt \d+ s ago/);
    });
  });

  test('exits 1 when a stop is not effective in time, and names what it waits for', async () => {
    await store.control.flip(stopText(namespace), null);
    const waited = await killdrill(['status', '--wait', '200ms']);
    expect(waited.code).toBe(1);
    expect(waited.stdout).toContain('no inventory is declared');
    expect((await killdrill(['status'])).code).toBe(0);
  });

  test('as JSON has the same, and nothing else on stdout', async () => {
    await store.control.flip(stopText(namespace, { id: 's1' }), null);
    const { stdout } = await killdrill(['status', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ namespace, head: { revision: 1 }, workers: [], inventory: null, lastProvenMs: null },
      stops: [{ id: 's1', revision: 1, state: 'pending', flip: { scope: 'global' } }],
    });
  });

  test('fails a canary that nobody is there to refuse', async () => {
    expect((await killdrill(['status', '--prove'])).code).toBe(1);
  });

  test('shows a worker that vanished apart, and passes without it, unless the inventory says that it must be there', async () => {
    const lost = { incarnation: 'lost-1', worker: 'worker-9', pool: 'default', version: null, leaseMs: 1 };
    await store.reports.register({ ...lost, longestDeadlineMs: 1_000 });
    await withWorker('worker-1', async () => {
      const proven = await vi.waitUntil(
        async () => {
          const ended = await killdrill(['status', '--prove']);
          return ended.code === 0 ? ended.stdout : null;
        },
        { timeout: BOUND_MS, interval: 50 },
      );
      expect(proven).toContain('1 workers');
      expect(proven.replaceAll(/\s+/g, ' ')).toContain('may begin nothing: worker-9');
      const { head } = await store.flips.load();
      await store.fence.admitIntents('lost-1', head, [sampleIntent(1, { deadlineMs: 1 })]);
      expect((await store.effectiveness.fleet()).workers).toMatchObject([
        { worker: 'worker-1', admittedAgoMs: null },
        { worker: 'worker-9', admittedAgoMs: expect.any(Number) },
      ]);
      await killdrill(['migrate', '--expected', 'default=2'], database.ownerUrl);
      const short = await killdrill(['status', '--prove']);
      expect([short.code, short.stdout]).toEqual([1, expect.stringMatching(/pool\s+'default'\s+has\s+1\s+of\s+2/)]);
    });
    await store.reports.deregister('lost-1'); // other namespaces expect its pool
  });

  test('flies no canary behind a stop that gates would name for it', async () => {
    await withWorker('worker-1', async () => {
      await store.control.flip(stopText(namespace, { id: 'wide' }), null);
      expect((await killdrill(['status', '--prove'])).code).toBe(1);
      expect((await store.flips.load()).head.revision).toBe(1);
    });
  });

  test.each([
    [['--expected', 'default']],
    [['--expected', 'default=0']],
    [['--expected', '=2']],
    [['--expected', 'a=1', 'a=2']],
    [['--closed']],
  ])('takes no inventory of %j', async (flags) => {
    expect((await killdrill(['migrate', ...flags], database.ownerUrl)).code).toBe(3);
  });
});

describe('an effect that nobody has seen end', () => {
  test('keeps a stop from being effective until an operator answers for it', async () => {
    await store.effectiveness.declareInventory({ pools: { default: 1 }, closed: true }, SOMEBODY);
    const { head } = await store.flips.load();
    await store.fence.admitIntents('gone-1', head, [sampleIntent(1, { deadlineMs: 1 })]);
    await withWorker('worker-1', async () => {
      await store.control.flip(stopText(namespace), null);
      const waiting = await killdrill(['status', '--wait', '500ms']);
      expect([waiting.code, waiting.stdout]).toEqual([1, expect.stringContaining('gone-1/1')]);
      expect((await killdrill(['ledger', '--close', 'gone-1/1'])).code).toBe(3);
      expect((await killdrill(['ledger', '--close', 'gone-1/2', '--reason', 'seen'])).code).toBe(3);
      expect((await killdrill(['ledger', '--close', 'gone-1/1', '--reason', 'its host is off'])).code).toBe(0);
      expect((await killdrill(['status', '--wait', '20s'])).code).toBe(0);
    });
  });
});
