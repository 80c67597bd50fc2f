import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { loadScenario } from '../../../harness/scenario/load.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import type { Scenario } from '../../../harness/scenario/scenario.ts';
import { scenarioToYaml } from '../../../harness/scenario/to-yaml.ts';
import { traceText } from '../../../harness/traffic/trace-text.ts';
import { TRACE_VERSION } from '../../../harness/traffic/trace.ts';
import type { PlanStep, Trace, TraceRun } from '../../../harness/traffic/trace.ts';
import { scenarioText } from './scenario-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'killdrill-given-'));
afterAll(() => rmSync(folder, { recursive: true }));

const call: PlanStep = { capability: 'pay/card', access: 'write', journal: true, serviceMs: 100, deadlineMs: 2_000 };
/** Ten runs a second for 20 s, of two steps each; acme has the most. */
const runs = Array.from({ length: 200 }, (_, i): TraceRun => {
  const tenant = ['acme', 'acme', 'globex', 'initech'][i % 4] ?? '';
  return { dueMs: i * 100, run: `r${i}`, tenant, feature: 'billing', agent: `bot-${i % 8}`, plan: [call, call] };
});
const trace: Trace = { header: { version: TRACE_VERSION, seed: 7, generator: { name: 'by hand' } }, runs };

const STOP = 'timeline:\n  - { at: 5s, flip: { scope: tenant, target: acme, mode: halt_all } }';
/** A scenario on this trace, with some lines written differently. */
function textOn(file: string, changes: Readonly<Record<string, string>> = {}): string {
  return scenarioText({ traffic: `traffic: { trace: ${file} }`, timeline: STOP, ...changes });
}

function complaintsOf(changes: Readonly<Record<string, string>>, given: Trace = trace): string {
  try {
    parseScenario(textOn('t.jsonl', changes), 'x.yaml', [], () => given);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('a scenario that is given a trace', () => {
  test.each([
    ['plain', Buffer.from(traceText(trace))],
    ['gzipped', gzipSync(traceText(trace))],
  ])('reads it %s, beside its own file wherever that is', (name, bytes) => {
    mkdirSync(join(folder, name, 'traces'), { recursive: true });
    writeFileSync(join(folder, name, 'traces', 't'), bytes);
    writeFileSync(join(folder, name, 'x.yaml'), textOn('traces/t'));
    const { traffic, steadyState } = loadScenario(join(folder, name, 'x.yaml'), []);
    expect(traffic).toEqual({ kind: 'given', file: 'traces/t', primed: false, trace });
    // 10 runs a second of two steps, of which the last one's second comes too late.
    expect(steadyState.effectsPerSecond.min).toBe(9.5);
  });

  test('is written, and read back as the equal scenario', () => {
    const read = (text: string): Scenario => parseScenario(text, 'x.yaml', [], () => trace);
    const scenario = read(textOn('t.jsonl'));
    expect(read(scenarioToYaml(scenario))).toEqual(scenario);
  });
});

describe('a trace that does not fit its scenario is refused with what it has', () => {
  const primedRun: TraceRun = { ...(runs[0] as TraceRun), run: 'primed-001', primed: true };
  test.each([
    [
      { timeline: STOP.replace('acme', 'acne') },
      /x\.yaml:6:\d+: timeline\[0\]\.flip\.target: found 'acne', expected one of the trace’s tenants: acme, globex, initech; did you mean 'acme'\?/,
    ],
    [
      { timeline: STOP.replace('scope: tenant, target: acme', 'scope: capability, target: write/mail') },
      /found 'write\/mail', expected a capability that the traffic uses: pay\/card, or a pattern/,
    ],
    [
      { timeline: STOP.replace('scope: tenant, target: acme', 'scope: agent, target: bob') },
      /expected one of the trace’s agents: bot-0, bot-1, bot-2, bot-3, bot-4 and 3 more/,
    ],
    [
      { timeline: STOP.replace('scope: tenant, target: acme', 'scope: run, target: $primedRun') },
      /found '\$primedRun', expected the id of a run of the trace, which has no primed runs; write traffic\.primed: true/,
    ],
    [
      { timeline: STOP.replace('at: 5s', 'after: effect 201 of $busiest') },
      /timeline\[0\]\.after: found effect 201, expected at most 200, which is all that the trace plans in scope of tenant:acme/,
    ],
    [
      { timeline: STOP.replace('5s', '25s') },
      /traffic\.trace: found a trace whose last run is due at 19900ms, expected/,
    ],
    [
      { steady: 'steadyState: { for: 3s, effectsPerSecond: { min: 40 } }' },
      /min: found 40, expected at most what the trace sends in the steady state, 19\/s/,
    ],
    [
      { traffic: 'traffic: { trace: t.jsonl, effects: 5/s }' },
      /found the unknown key 'effects', expected one of the keys trace, primed/,
    ],
    [{ traffic: 'traffic: { primed: true, effects: 5/s }' }, /found the unknown key 'primed'/],
    [{ traffic: 'traffic: { trace: 7 }' }, /traffic\.trace: found 7, expected the path of a trace/],
  ])('%o', (changes, message) => {
    expect(complaintsOf({ ...changes }).replaceAll('\n', ' ')).toMatch(message);
  });

  test('one that has primed runs already cannot have more', () => {
    const traffic = 'traffic: { trace: t.jsonl, primed: true }';
    expect(complaintsOf({ traffic })).toBe('');
    const whole = { ...trace, runs: [primedRun, ...runs] };
    expect(complaintsOf({ traffic }, whole)).toMatch(/with 1 such runs already, the first of them 'primed-001'/);
  });

  test('one without a run, or with too many effects', () => {
    expect(complaintsOf({}, { ...trace, runs: [] })).toMatch(/found a trace without any run/);
    const plan = Array.from({ length: 1_000 }, () => call);
    const many = {
      ...trace,
      runs: Array.from({ length: 501 }, (_, i) => ({ ...(runs[0] as TraceRun), run: `m${i}`, plan })),
    };
    expect(complaintsOf({}, many)).toMatch(/found a trace of 501000 effects, expected at most 500000/);
  });

  test('one that cannot be read, by its line', () => {
    const [header, first] = traceText(trace).split('\n');
    writeFileSync(join(folder, 'bad.jsonl'), `${header}\n${first}\n{"dueMs":\n`);
    writeFileSync(join(folder, 'x.yaml'), textOn('bad.jsonl'));
    expect(() => loadScenario(join(folder, 'x.yaml'), [])).toThrow(
      /x\.yaml:4:\d+: traffic\.trace: found .*bad\.jsonl:3: found no JSON: \{"dueMs":, expected a trace/,
    );
    writeFileSync(join(folder, 'y.yaml'), textOn('none.jsonl'));
    expect(() => loadScenario(join(folder, 'y.yaml'), [])).toThrow(/none\.jsonl: found no such file/);
    writeFileSync(join(folder, 'z.yaml'), textOn('/dev/zero'));
    expect(() => loadScenario(join(folder, 'z.yaml'), [])).toThrow(/found no ordinary file, expected a trace/);
  });
});
