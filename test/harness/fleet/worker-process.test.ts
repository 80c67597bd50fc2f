import { afterEach, describe, expect, it } from 'vitest';
import type { SaidLine } from '../../../harness/fleet/contract-lines.ts';
import { WorkerProcess } from '../../../harness/fleet/worker-process.ts';
import type { EventBody, HistoryEvent } from '../../../harness/history/event.ts';
import { waitUntil } from '../../../harness/environment/wait.ts';
import { isAlive } from '../../support/is-alive.ts';

const events: EventBody[] = [];
const heard: string[] = [];
const started: WorkerProcess[] = [];
afterEach(() => {
  for (const one of started.splice(0)) one.signal('SIGKILL', { expected: true });
  events.length = 0;
  heard.length = 0;
});

function start(program: string, command: readonly string[] = [process.execPath, '-e', program]): WorkerProcess {
  const history = {
    append(body: EventBody): HistoryEvent {
      events.push(body);
      return { v: 1, seq: events.length, clock: 'mono', t0: 0, t1: 0, ...body };
    },
  };
  const environment = { PATH: process.env['PATH'] ?? '' };
  const hear = (line: SaidLine): void => void heard.push(line.event);
  const spec = { command, environment, cwd: process.cwd(), history, heard: hear };
  const one = new WorkerProcess({ worker: 'worker-1', channel: 1, ...spec });
  started.push(one);
  return one;
}

function until(condition: () => boolean): Promise<boolean> {
  return waitUntil(condition, { boundMs: 10_000, everyMs: 5, signal: new AbortController().signal });
}

describe('a worker process', () => {
  it('is ready once it says so, with its incarnation, and what else it says is on record', async () => {
    const one = start(`
      console.log('{"event":"ready","incarnation":"i"}\\n{"event":"ready"}\\n{"event":"stopped","revision":1}');
      setInterval(() => {}, 1000);
    `);
    expect(one.isReady).toBe(false);
    expect(await until(() => events.length === 3)).toBe(true);
    expect(one.isReady).toBe(true);
    expect(events.slice(1)).toEqual([
      { type: 'worker.ready', worker: 'worker-1', channel: 1, incarnation: 'i' },
      { type: 'worker.said', worker: 'worker-1', channel: 1, said: { event: 'stopped', revision: 1 } },
    ]);
    expect(heard).toEqual(['stopped']);
  });

  it('has ended only once its last words are heard', async () => {
    const words = 2_000;
    const one = start(`require('node:fs').writeSync(1, '{"event":"word"}\\n'.repeat(${words})); process.exit(3)`);
    expect(await one.exited).toEqual({ code: 3, signal: null });
    expect(events.filter(({ type }) => type === 'worker.said')).toHaveLength(words);
    expect(events).toContainEqual(expect.objectContaining({ type: 'worker.exited', code: 3, expected: false }));
  });

  it('has ended although a child of its own keeps its stdout, and the child ends with it', async () => {
    const one = start(`
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      console.log(JSON.stringify({ event: 'child', pid: child.pid }));
      setTimeout(() => process.exit(0), 50);
    `);
    await one.exited;
    const said = events.find((event) => event.type === 'worker.said');
    const pid = said?.type === 'worker.said' ? Number(said.said['pid']) : 0;
    expect(pid).toBeGreaterThan(0);
    expect(await until(() => !isAlive(pid))).toBe(true);
  });

  it('says whether its end was asked for', async () => {
    const one = start('console.log(\'{"event":"ready"}\'); setInterval(() => {}, 1000);');
    await until(() => one.isReady);
    one.signal('SIGTERM', { expected: true });
    expect(await one.exited).toEqual({ code: null, signal: 'SIGTERM' });
    expect(events.at(-1)).toMatchObject({ type: 'worker.exited', signal: 'SIGTERM', expected: true });
    one.signal('SIGKILL', { expected: true }); // it is gone: nothing happens
  });

  it('has ended when it could not be started, and says why', async () => {
    const one = start('', ['/no/such/program']);
    await one.exited;
    expect(one.hasExited).toBe(true);
    expect(one.complaint).toMatch(/ENOENT/);
    expect(() => start('', [])).toThrow(/empty command/);
  });

  it('keeps the end of what it complained of, and no more', async () => {
    const one = start("for (let n = 0; n < 20000; n += 1) console.error('line ' + n)");
    await one.exited;
    expect(one.complaint.split('\n')).toEqual([19_995, 19_996, 19_997, 19_998, 19_999].map((n) => `line ${n}`));
  });
});
