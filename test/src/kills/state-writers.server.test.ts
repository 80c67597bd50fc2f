import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makePrng } from '../../../harness/traffic/prng.ts';
import { compileExecutor } from '../alerts/kills/compiled-executor.ts';
import type { CompiledExecutor } from '../alerts/kills/compiled-executor.ts';
import { KEY, SOMEBODY, follow, openSwitch, stateFolder } from '../propagation/state-stage.ts';

// Two hundred processes, on a machine that others use too.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 120_000 });
const KILLS = 200;
const SEED = 20_261_122;
const LONGEST_LIFE_MS = 150;
const AHEAD = 3;
let compiled: CompiledExecutor;

beforeAll(async () => {
  compiled = await compileExecutor('test/src/kills/state-writer-main');
});
afterAll(() => compiled.remove());

interface Killed {
  /** Stops that it was told were taken, and that it had not begun to release. */
  readonly mustHold: readonly string[];
}

/** A writer that has loaded everything, and waits; `killedAfter` lets it write for so long. */
function startWriter(path: string): { killedAfter(ms: number): Promise<Killed> } {
  const child = spawn(process.execPath, [compiled.main, path, KEY], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const said: string[] = [];
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      said.push(line);
      if (line.startsWith('ready')) resolve();
    });
  });
  const heardOut = once(lines, 'close');
  return {
    async killedAfter(ms) {
      await ready;
      child.stdin.write('x');
      await new Promise((resolve) => setTimeout(resolve, ms));
      child.kill('SIGKILL');
      await Promise.all([exited, heardOut]);
      const idsOf = (what: string): string[] =>
        said.flatMap((line) => (line.startsWith(`${what} `) ? [line.slice(what.length + 1)] : []));
      const released = new Set(idsOf('releasing'));
      return { mustHold: idsOf('engaged').filter((id) => !released.has(id)) };
    },
  };
}

describe('a state file whose writers are killed', () => {
  it(`lets nobody run after ${KILLS} kills -9 at random moments, and holds up no stop`, async () => {
    const path = join(stateFolder(), 'state.json');
    const operator = openSwitch(path);
    operator.create();
    const { id } = await operator.engage('this one stays');
    const warm = follow(path);
    const draw = makePrng(SEED).split('kills');
    const waiting = Array.from({ length: AHEAD }, () => startWriter(path));
    const held: number[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const writer = waiting.shift() ?? startWriter(path);
      if (kill + waiting.length + 1 < KILLS) waiting.push(startWriter(path));
      const { mustHold } = await writer.killedAfter(draw.uniform() * LONGEST_LIFE_MS);
      const cold = openSwitch(path).getStatus();
      warm.feed.look();
      const open = cold.engagements.map((one) => one.id);
      expect(open, `after kill ${kill}`).toEqual(expect.arrayContaining([id, ...mustHold]));
      expect(cold, `after kill ${kill}`).toMatchObject({ engaged: true, verified: true });
      expect(warm.registry.decide(SOMEBODY).kind).toBe('halt');
      held.push(mustHold.length);
    }
    expect(await operator.engage('not held up')).toMatchObject({ notWritten: null });
    await openSwitch(path).disengage('all of it');
    expect(openSwitch(path).getStatus()).toMatchObject({ mode: 'disengaged', verified: true });
    expect(readdirSync(join(path, '..')).filter((name) => name.startsWith('state.json.halt-'))).toEqual([]);
    // Otherwise the kills would have hit nothing but idle writers.
    expect(held.filter((count) => count > 0).length).toBeGreaterThan(0);
  });
});
