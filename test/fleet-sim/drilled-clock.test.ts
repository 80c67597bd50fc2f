import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drilledClock } from '../../fleet-sim/drilled-clock.ts';
import { ManualClock } from '../src/manual-clock.ts';

let folder: string;
let file: string;
let said: number[];
let genuine: ManualClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-clock-'));
  file = join(folder, 'worker-1');
  said = [];
  genuine = new ManualClock();
});
afterEach(() => rmSync(folder, { recursive: true }));

const start = () => drilledClock(genuine, file, (offsetMs) => said.push(offsetMs));

describe('the clock of a drilled worker', () => {
  it('is the genuine one while nobody sets it off', () => {
    const clock = start();
    genuine.advance(1_000);
    expect([clock.wallMs(), clock.monotonicMs()]).toEqual([genuine.wallMs(), genuine.monotonicMs()]);
    expect(said).toEqual([]);
  });

  it('is off by what the file says, its monotonic time is not, and it says so each time', () => {
    const clock = start();
    writeFileSync(file, '-600000');
    genuine.advance(20);
    expect(clock.wallMs() - genuine.wallMs()).toBe(-600_000);
    expect(clock.monotonicMs()).toBe(genuine.monotonicMs());
    genuine.advance(100);
    rmSync(file);
    genuine.advance(20);
    expect(clock.wallMs()).toBe(genuine.wallMs());
    expect(said).toEqual([-600_000, 0]);
  });

  it('is off from the start in a process that comes up during the fault', () => {
    writeFileSync(file, '5000');
    expect(start().wallMs() - genuine.wallMs()).toBe(5_000);
    expect(said).toEqual([5_000]);
  });

  it('takes what is no number for nothing', () => {
    writeFileSync(file, 'soon');
    expect(start().wallMs()).toBe(genuine.wallMs());
  });
});
