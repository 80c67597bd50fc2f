import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerdictFile } from '../../harness/checkers/verdict-file.ts';
import { PROPERTY_NAMES } from '../../harness/checkers/registry.ts';
import { parseScenario } from '../../harness/scenario/parse.ts';
import { isOrdinary } from '../../harness/traffic/ordinary.ts';
import { planDrill } from '../../harness/traffic/plan-drill.ts';
import { parseTrace, traceText } from '../../harness/traffic/trace-text.ts';
import type { Trace } from '../../harness/traffic/trace.ts';
import { shortDrill } from './short-drill.ts';
import { Workshop } from './workshop.ts';
import type { Ended } from './workshop.ts';

const DRAWN = 'traffic: { effects: 120/s, tenants: 6 }';

/** The ordinary runs of a drawn drill, as if somebody had written down what a fleet did. */
function writtenDown(): Trace {
  const { trace } = planDrill(parseScenario(shortDrill(), 'short.yaml', PROPERTY_NAMES));
  const generator = { name: 'written down' };
  return { header: { ...trace.header, generator }, runs: trace.runs.filter(isOrdinary) };
}

describe('a drill on a trace that is given', () => {
  const given = writtenDown();
  let workshop: Workshop;
  let drill: Ended;
  let bundle: string;

  beforeAll(async () => {
    workshop = new Workshop();
    workshop.write('incident.jsonl', traceText(given));
    const text = shortDrill({ name: 'given' }).replace(DRAWN, 'traffic: { trace: incident.jsonl, primed: true }');
    const scenario = workshop.write('given.yaml', text);
    drill = await workshop.run(['run', scenario, '--environment', 'embedded', '--out', 'reports', '--json']);
    const [name = 'none'] = readdirSync(join(workshop.folder, 'reports'));
    bundle = join(workshop.folder, 'reports', name);
  });
  afterAll(() => workshop.close());

  it('passes, with a verdict on its stop', () => {
    expect(drill).toMatchObject({ code: 0 });
    expect(JSON.parse(drill.stdout) as VerdictFile).toMatchObject({ verdict: 'pass', flips: [{ kind: 'stop' }, {}] });
    expect(workshop.left()).toEqual([]);
  });

  it('keeps the whole trace in its bundle, whose scenario names that copy', () => {
    const kept = parseTrace(gunzipSync(readFileSync(join(bundle, 'trace.jsonl.gz'))).toString(), 'trace');
    expect(kept.runs.filter(isOrdinary)).toEqual(given.runs);
    expect(kept.runs.length).toBeGreaterThan(given.runs.length);
    expect(readFileSync(join(bundle, 'scenario.yaml'), 'utf8')).toContain('trace: trace.jsonl.gz, primed: false');
  });

  it('is judged again from the bundle alone, which is a scenario that validates', async () => {
    const again = await workshop.run(['check', bundle, '--json']);
    expect(again).toMatchObject({ code: 0, stdout: drill.stdout });
    const valid = await workshop.run(['validate', join(bundle, 'scenario.yaml')]);
    expect(valid).toMatchObject({ code: 0 });
  });
});
