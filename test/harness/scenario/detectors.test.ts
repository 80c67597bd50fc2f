import { describe, expect, test } from 'vitest';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { ScenarioError } from '../../../harness/scenario/scenario-error.ts';
import { scenarioToYaml } from '../../../harness/scenario/to-yaml.ts';
import { scenarioText } from './scenario-text.ts';

interface Parts {
  readonly detectors?: string;
  readonly fleet?: string;
  /** What the flip says besides its target. */
  readonly flip?: string;
  readonly more?: readonly string[];
  readonly traffic?: string;
}

const DETECTORS = 'detectors: { writeRate: { per: tenant, perSecond: 40 } }';
const FLIP = 'scope: tenant, mode: halt_all, via: detector, runaway: 400/s';

function textOf({ detectors = DETECTORS, fleet, flip = FLIP, more = [], traffic = 'effects: 100/s' }: Parts): string {
  const entries = [`{ when: exposed, flip: { target: acme, ${flip} } }`, ...more];
  return scenarioText({
    fleet: `fleet: { ${fleet ?? `workers: 4, executors: 1, ${detectors}`} }`,
    traffic: `traffic: { ${traffic} }`,
    timeline: ['timeline:', ...entries.map((entry) => `  - ${entry}`)].join('\n'),
  });
}

function told(parts: Parts): string {
  try {
    parseScenario(textOf(parts), 'x.yaml', []);
    return '';
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    return error.problems
      .map(({ line, column, found, expected }) => `${line}:${column} ${found} | ${expected}`)
      .join('\n');
  }
}

describe('detectors in a scenario', () => {
  test('are of the fleet, and a flip may be theirs to ask for', () => {
    const { fleet, timeline } = parseScenario(textOf({}), 'x.yaml', []);
    expect(fleet.detectors).toEqual({ writeRate: { per: 'tenant', perSecond: 40, windowMs: 1_000 } });
    expect(timeline[0]).toMatchObject({ kind: 'flip', via: 'detector', runawayPerSecond: 400, queue: 'discard' });
  });

  test('are written as they are read', () => {
    const scenario = parseScenario(textOf({}), 'x.yaml', []);
    expect(parseScenario(scenarioToYaml(scenario), 'y.yaml', [])).toEqual(scenario);
  });

  test('give a worker the plane of alerts', () => {
    const cut = '{ fault: { kind: cut, target: worker-1, plane: alerts, for: 1s } }';
    expect(told({ more: [cut] })).toBe('');
    const without = { fleet: 'workers: 4', flip: 'scope: tenant, mode: halt_all' };
    expect(told({ ...without, more: [cut] })).toMatch(/7:52 'alerts' of worker-1 \| fleet.detectors: a worker without/);
  });

  test.each<[string, Parts, RegExp]>([
    ['nobody detects', { detectors: 'lease: 1s' }, /6:\d+ 'detector' without fleet.detectors/],
    ['they ask for another scope', { flip: FLIP.replace('tenant', 'agent') }, /6:\d+ 'agent' \| 'tenant'/],
    [
      'they ask for another mode',
      { flip: FLIP.replace('halt_all', 'emergency') },
      /'emergency' via: detector \| halt_all/,
    ],
    ['the runaway would be parked', { flip: `${FLIP}, queue: park` }, /'park' via: detector \| queue: discard/],
    [
      'nothing runs away',
      { flip: FLIP.replace(', runaway: 400/s', '') },
      /nothing \| what the detectors are to notice/,
    ],
    ['a reason is not the detector’s', { flip: `${FLIP}, reason: x` }, /a reason via: detector \| none/],
    ['nobody reads their alerts', { fleet: `workers: 4, ${DETECTORS}` }, /fleet.executors: 0/],
    [
      'the operator asks',
      { flip: 'scope: tenant, mode: halt_all, runaway: 400/s' },
      /6:\d+ a runaway via: postgres \| via: detector/,
    ],
    [
      'the runaway is to come back with the rest',
      { more: ['{ release: { scope: tenant, target: acme } }', '{ resume: { all: true } }'] },
      /8:\d+ a resume of all \| resume of named runs/,
    ],
  ])('are refused where %s', (_, parts, expected) => {
    expect(told(parts)).toMatch(expected);
    expect(told(parts).split('\n')).toHaveLength(1);
  });

  test('may see what was stopped come back, run by run', () => {
    expect(told({ more: ['{ resume: { runs: [$primedRun] } }'] })).toBe('');
  });

  test('have ordinary traffic below them, by the figures', () => {
    expect(told({ traffic: 'effects: 1000/s' })).toMatch(
      /3:\d+ 40 writes a second, where the busiest tenant plans \d+\.\d at one worker in a burst \| at least \d+(\.\d)? over a window of 1000 ms/,
    );
    const short = DETECTORS.replace('40', '40, window: 100ms');
    expect(told({ detectors: short })).toMatch(/over a window of 100 ms/);
    const perAgent = { detectors: DETECTORS.replace('tenant', 'agent'), flip: FLIP.replace('tenant', 'agent') };
    expect(told({ ...perAgent, traffic: 'effects: 1000/s' })).toBe('');
  });

  test('have runaways above them, at each worker', () => {
    expect(told({ flip: FLIP.replace('400', '200') })).toMatch(
      /6:\d+ 200\/s, which is 50\.0\/s at each of 4 workers \| at least 240\/s: 1\.5 times the 40\/s/,
    );
  });
});
