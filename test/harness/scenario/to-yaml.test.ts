import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { scenarioToYaml } from '../../../harness/scenario/to-yaml.ts';
import type { Scenario } from '../../../harness/scenario/scenario.ts';
import { anyScenario } from './any-scenario.ts';

const PROPERTIES = ['no_effect_after_stop', 'fails_closed'];

test('a scenario that is written reads back as the equal scenario', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      expect(parseScenario(scenarioToYaml(scenario), 'scenario.yaml', PROPERTIES)).toEqual(scenario);
    }),
    { numRuns: 300 },
  );
}, 30_000);

test.each([' \n', '\n ', ' \n\n a', 'a\n\n', '  a\nb  ', '# a', '- a', 'a: b'])(
  'keeps the description %j to the letter',
  (description) => {
    const [sample] = fc.sample(anyScenario, { numRuns: 1, seed: 1 });
    const scenario = { ...sample, description } as Scenario;
    expect(parseScenario(scenarioToYaml(scenario), 'scenario.yaml', PROPERTIES).description).toBe(description);
  },
);
