import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startDrillClock } from '../../../harness/history/clock.ts';
import type { EventBody } from '../../../harness/history/event.ts';
import { readHistory } from '../../../harness/history/read.ts';
import { openHistory } from '../../../harness/history/write.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-history-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const due = (run: string): EventBody => ({ type: 'run.due', run });

/** A history of `count` events, closed. */
async function written(count: number): Promise<string> {
  const file = join(folder, 'history.jsonl.gz');
  const history = openHistory({ file, clock: startDrillClock() });
  for (let i = 1; i <= count; i += 1) history.append(due(`run-${i}`), { t0: i, t1: i + 1 });
  await history.close();
  return file;
}

function writtenLines(lines: readonly string[]): string {
  const file = join(folder, 'planted.jsonl.gz');
  writeFileSync(file, gzipSync(lines.map((line) => `${line}\n`).join('')));
  return file;
}

function line(seq: number, change: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ v: 1, seq, type: 'run.due', clock: 'mono', t0: 1, t1: 2, run: 'r', ...change });
}

describe('a history', () => {
  it('gives back what was appended, numbered and stamped', async () => {
    const file = join(folder, 'h.gz');
    const history = openHistory({ file, clock: startDrillClock() });
    history.append({ type: 'phase', phase: 'start' });
    history.append(due('run-ü'), { t0: 5, t1: 6 });
    history.append({ type: 'store.head', epoch: 'e', revision: 0, hash: '' }, { t0: 1, t1: 1, clock: 'store' });
    await history.close();
    const read = await readHistory(file);
    expect(read).toEqual({ events: history.events, complete: true });
    expect(read.events.map(({ seq, clock }) => [seq, clock])).toEqual([
      [1, 'mono'],
      [2, 'mono'],
      [3, 'store'],
    ]);
    expect(read.events[1]).toMatchObject({ t0: 5, t1: 6, run: 'run-ü' });
  });

  it('is on disk before it is closed', async () => {
    const file = join(folder, 'h.gz');
    const history = openHistory({ file, clock: startDrillClock(), flushMs: 10 });
    history.append(due('a'));
    await vi.waitFor(async () => expect((await readHistory(file)).events).toHaveLength(1), { timeout: 5000 });
    history.append(due('b'));
    await vi.waitFor(async () => expect((await readHistory(file)).events).toHaveLength(2), { timeout: 5000 });
    expect((await readHistory(file)).complete).toBe(false);
    await history.close();
    expect((await readHistory(file)).complete).toBe(true);
  });

  it('gives up to the last flush of a writer that was killed, and says that it is not complete', async () => {
    const file = join(folder, 'h.gz');
    const program = `
      import { openHistory } from '${new URL('../../../harness/history/write.ts', import.meta.url).href}';
      import { startDrillClock } from '${new URL('../../../harness/history/clock.ts', import.meta.url).href}';
      const history = openHistory({ file: process.argv[1], clock: startDrillClock(), flushMs: 20 });
      let n = 0;
      setInterval(() => { for (let i = 0; i < 200; i += 1) history.append({ type: 'run.due', run: 'run-' + n++ }); }, 1);
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program, file]);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    try {
      await vi.waitFor(async () => expect((await readHistory(file)).events.length).toBeGreaterThan(5000), {
        timeout: 20_000,
      });
    } finally {
      child.kill('SIGKILL');
      await exited;
    }
    const { events, complete } = await readHistory(file);
    expect(complete).toBe(false);
    expect(events.length).toBeGreaterThan(5000);
    expect(events.at(-1)).toMatchObject({ seq: events.length, run: `run-${events.length - 1}` });
  }, 30_000);

  it('takes any truncation, and calls only the whole file complete', async () => {
    const whole = readFileSync(await written(300));
    const file = join(folder, 'cut.gz');
    for (let size = 0; size < whole.length; size += 7) {
      writeFileSync(file, whole.subarray(0, size));
      const { events, complete } = await readHistory(file);
      expect(complete, `${size} of ${whole.length} bytes`).toBe(false);
      events.forEach((event, index) => expect(event.seq).toBe(index + 1));
    }
    writeFileSync(file, whole.subarray(0, whole.length - 1));
    expect(await readHistory(file)).toMatchObject({ complete: false, events: { length: 300 } });
    writeFileSync(file, whole);
    expect((await readHistory(file)).complete).toBe(true);
  });

  it.each([
    ['junk', [line(1), 'what is this'], /line 2: it is no JSON/],
    ['a value that is no object', ['7'], /line 1: it is no JSON object/],
    ['a gap in seq', [line(1), line(3)], /line 2: its seq is 3 where 2 was expected/],
    ['a repeated seq', [line(1), line(1)], /line 2: its seq is 1 where 2 was expected/],
    ['an unknown type', [line(1, { type: 'effect.vanished' })], /line 1: its type 'effect.vanished' is unknown/],
    ['a type that is a name of Object', [line(1, { type: 'constructor' })], /line 1: its type/],
    ['another version', [line(1, { v: 2 })], /line 1: its version is 2, this killdrill reads version 1/],
    ['an unknown clock', [line(1, { clock: 'wall' })], /line 1: its clock 'wall'/],
    ['an interval that ends before it begins', [line(1, { t0: 3 })], /line 1: its interval/],
    ['a time that is none', [line(1, { t1: null })], /line 1: its interval/],
  ])('names the line of %s', async (_what, lines, message) => {
    const reading = readHistory(writtenLines(lines));
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toMatchObject({ code: 'HISTORY_UNREADABLE' });
  });

  it('refuses a file that is damaged, no gzip, or not there', async () => {
    const file = await written(300);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0xff, bytes.length >> 1);
    writeFileSync(file, bytes);
    await expect(readHistory(file)).rejects.toMatchObject({ code: 'HISTORY_UNREADABLE' });
    writeFileSync(file, 'plain text, and more of it');
    await expect(readHistory(file)).rejects.toMatchObject({ code: 'HISTORY_UNREADABLE' });
    await expect(readHistory(join(folder, 'none'))).rejects.toMatchObject({ code: 'HISTORY_UNREADABLE' });
  });

  it('never throws into the drill when the disk is full, and reports it at close', async () => {
    const history = openHistory({ file: '/dev/full', clock: startDrillClock(), flushMs: 5 });
    history.append(due('a'));
    await vi.waitFor(() => expect(history.failure).not.toBeNull(), { timeout: 5000 });
    history.append(due('b'));
    await expect(history.close()).rejects.toMatchObject({ code: 'HISTORY_NOT_WRITTEN' });
    expect(history.events).toHaveLength(2);
  });

  it('reports a bound that was passed, an interval that is none, and an event after the close', async () => {
    const clock = startDrillClock();
    const full = openHistory({ file: join(folder, 'full.gz'), clock, maxEvents: 1 });
    full.append(due('a'));
    full.append(due('b'));
    await expect(full.close()).rejects.toMatchObject({ code: 'HISTORY_FULL' });
    const odd = openHistory({ file: join(folder, 'odd.gz'), clock });
    odd.append(due('a'), { t0: Number.NaN, t1: 1 });
    await expect(odd.close()).rejects.toMatchObject({ code: 'HISTORY_BAD_STAMP' });
    const late = openHistory({ file: join(folder, 'late.gz'), clock });
    await late.close();
    late.append(due('a'));
    expect(late.failure).toMatchObject({ code: 'HISTORY_CLOSED' });
  });

  it('never writes over another history, and says when its folder is not there', async () => {
    const file = await written(3);
    expect(() => openHistory({ file, clock: startDrillClock() })).toThrow(/already holds/);
    expect(() => openHistory({ file: join(folder, 'no', 'h'), clock: startDrillClock() })).toThrow(/cannot be made/);
    expect((await readHistory(file)).events).toHaveLength(3);
  });
});
