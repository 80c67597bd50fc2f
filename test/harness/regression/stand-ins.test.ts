import { describe, expect, it } from 'vitest';
import { withStandIns } from '../../../harness/regression/stand-ins.ts';
import { scenarioToYaml } from '../../../harness/scenario/to-yaml.ts';
import { traceText } from '../../../harness/traffic/trace-text.ts';
import { cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf } from '../checkers/history-builder.ts';

const critical = { capabilities: [], classes: [{ name: 'money', scope: 'tenant', target: 'acme' }] } as const;
const drill = cleanDrill({ critical });
const record = recordOf({ ...drill, runs: drill.runs.map((run) => ({ ...run, agent: `${run.agent}-of-mallory` })) });
const kept = withStandIns(record);

describe('stand-ins', () => {
  it('leave no name of a tenant or agent, and no reason', () => {
    const text = scenarioToYaml(kept.scenario) + traceText(kept.trace);
    const names = [...new Set(record.trace.runs.map(({ tenant }) => tenant)), 'mallory'];
    expect(names).toHaveLength(4);
    expect(names.filter((name) => text.includes(name))).toEqual([]);
    expect(text).toContain('reason: not kept');
  });

  it('are the same in scenario and traffic, so that a stop hits whom it hit', () => {
    const [flip] = kept.scenario.timeline;
    const of = (tenant: string): readonly string[] =>
      record.trace.runs.filter((run) => run.tenant === tenant).map(({ run }) => run);
    const hit = kept.trace.runs.filter(({ tenant }) => flip?.kind === 'flip' && tenant === flip.target);
    expect(hit.map(({ run }) => run)).toEqual(of('acme'));
    expect(kept.scenario.fleet.critical.classes[0]?.target).toBe(flip?.kind === 'flip' ? flip.target : null);
  });

  it('change nothing else, are counted, and are replaced by nothing when they stand already', () => {
    const rest = (runs: typeof record.trace.runs) => runs.map(({ tenant: _, agent: __, ...run }) => run);
    expect(rest(kept.trace.runs)).toEqual(rest(record.trace.runs));
    expect(kept.redacted.map(({ count }) => count)).toEqual([3, expect.any(Number), 2]);
    const again = withStandIns(kept);
    expect({ scenario: again.scenario, trace: again.trace }).toEqual({ scenario: kept.scenario, trace: kept.trace });
  });
});
