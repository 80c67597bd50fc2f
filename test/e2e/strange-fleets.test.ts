import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerdictFile } from '../../harness/checkers/verdict-file.ts';
import { shortDrill } from './short-drill.ts';
import { Workshop } from './workshop.ts';
import type { Ended } from './workshop.ts';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

/** A drill of a fleet that is this program. */
function drillOf(name: string, program: string, more: readonly string[] = []): Promise<Ended> {
  const script = workshop.write(`${name}.mjs`, program);
  return drillOfCommand(name, [process.execPath, script], more);
}

function drillOfCommand(name: string, command: readonly string[], more: readonly string[] = []): Promise<Ended> {
  const fleet = `{ workers: 2, command: ${JSON.stringify(command)} }`;
  const scenario = workshop.write(`${name}.yaml`, shortDrill({ name, fleet, hold: '1s', settle: '0s' }));
  return workshop.run(['run', scenario, '--environment', 'embedded', '--out', 'reports', ...more]);
}

function expectError({ code, stdout, stderr }: Ended, saying: RegExp): void {
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toMatch(saying);
  expect(stderr).not.toMatch(/\n\s+at .*dist\/harness/);
  expect(workshop.left()).toEqual([]);
}

describe('a fleet that does not start', () => {
  it('is named with what it said, at once, when it exits', async () => {
    const drill = await drillOf('exits', "console.error('no licence for this machine'); process.exit(7);");
    expectError(drill, /the fleet did not start[^]*worker-\d ended with exit code 7 .*\n +no licence for this machine/);
  });

  it('is named when one worker ends and the other never gets ready', async () => {
    const program =
      "if (process.env.KILLDRILL_WORKER === 'worker-2') process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);";
    expectError(await drillOf('half', program), /worker-2 was ended by SIGKILL/);
  });

  it('is named when there is no such program', async () => {
    expectError(await drillOfCommand('absent', ['./no-such-program']), /worker-\d could not be started.*\n.*ENOENT/);
  });

  it('is given up on after 20 s when it never says ready, however much it prints, and is ended', async () => {
    const program = `
      process.on('SIGTERM', () => {});
      setInterval(() => console.log('{"event":"almost"}\\n[1]\\nnull\\nready'), 100);
    `;
    expectError(
      await drillOf('never', program),
      /within 20 s\nworker-1 has not said ready[^]*worker-2 has not said ready/,
    );
  });
});

describe('a fleet that does the least of the contract', () => {
  it('is told what its drill lacks: it takes work and sends effects, and knows neither the store nor a switch', async () => {
    const program = `
      const world = process.env.KILLDRILL_WORLD_URL;
      console.log('{"event":"ready"}');
      process.on('SIGTERM', () => process.exit(0));
      const send = (run, step, { capability }) =>
        fetch(world + '/effects/' + capability, { method: 'POST', headers: { 'x-run': run, 'idempotency-key': run + '/' + step } });
      async function perform({ run, plan }) {
        for (const [step, planned] of plan.entries())
          if (planned.kind === 'call' || planned.kind === 'stream') await (await send(run, step, planned)).arrayBuffer();
      }
      for (;;) {
        const answer = await fetch(world + '/work').catch(() => null);
        if (answer?.status === 200) perform(await answer.json()).catch(() => {});
        else if (answer?.status !== 204) break;
      }
    `;
    const { code, stdout } = await drillOf('least', program, ['--json', '-q']);
    const { verdict, exitCode, properties, expectations } = JSON.parse(stdout) as VerdictFile;
    expect(code).toBe(exitCode);
    expect(['pass', 'error']).not.toContain(verdict);
    expect(expectations).toContainEqual(expect.objectContaining({ name: 'witness_sound', verdict: 'pass' }));
    // Nothing of it reads the store's flips: what the witness sees of that is a failure, what the journal would show is owed.
    const reasons = Object.fromEntries(properties.map((property) => [property.name, property]));
    expect(reasons['no_effect_after_stop']).toMatchObject({ verdict: 'fail' });
    expect(reasons['no_intent_after_stop']).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('not shown: intents in scope before the stop: the journal has none') as string,
    });
    const passed = properties.filter((property) => property.verdict === 'pass').map(({ name }) => name);
    console.log(
      JSON.stringify(
        properties.map((x) => [x.name, x.verdict, x.reason]),
        null,
        1,
      ),
    );
    expect(passed).not.toContain('queue_honours_policy');
    expect(workshop.left()).toEqual([]);
  });
});

describe('a fleet that says ready and misbehaves', () => {
  it('is judged, and nothing of it is left: it floods its stdout, forks, works not, and ignores SIGTERM', async () => {
    const program = `
      import { spawn } from 'node:child_process';
      spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit', detached: true }).unref();
      process.on('SIGTERM', () => {});
      console.log('{"event":"ready"}');
      const junk = 'junk '.repeat(2000);
      setInterval(() => process.stdout.write(junk + '\\n{"event":'), 5);
    `;
    const { code, stdout } = await drillOf('flood', program, ['--json', '-q']);
    const verdict = JSON.parse(stdout) as { verdict: string; exitCode: number; worst: { name: string } };
    expect(verdict.verdict).not.toBe('pass');
    expect(code).toBe(verdict.exitCode);
    expect(verdict.worst).toMatchObject({ reason: expect.stringMatching(/./) as string });
    expect(workshop.left()).toEqual([]);
  });
});
