import { describe, expect, test } from 'vitest';
import { withOverrides } from '../../../harness/scenario/overrides.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { scenarioText } from './scenario-text.ts';

const scenario = parseScenario(scenarioText(), 'x.yaml', []);

test('a seed and a hold replace those of the file', () => {
  expect(withOverrides(scenario, { seed: 7, holdMs: 60_000 })).toEqual({ ...scenario, seed: 7, holdMs: 60_000 });
});

test('nothing given changes nothing', () => {
  expect(withOverrides(scenario, {})).toEqual(scenario);
  expect(withOverrides(scenario, { seed: undefined })).toEqual(scenario);
});

describe('what is out of range is refused as an invalid scenario', () => {
  test.each([{ seed: -1 }, { seed: 1.5 }, { seed: 2 ** 32 }, { holdMs: 600_001 }, { holdMs: Number.NaN }])(
    '%o',
    (overrides) => {
      expect(() => withOverrides(scenario, overrides)).toThrow(expect.objectContaining({ code: 'SCENARIO_INVALID' }));
    },
  );

  test('a hold that makes too many effects', () => {
    const busy = parseScenario(scenarioText({ traffic: 'traffic: { effects: 5000/s }' }), 'x.yaml', []);
    expect(() => withOverrides(busy, { holdMs: 600_000 })).toThrow(/effects in a drill/);
  });
});
