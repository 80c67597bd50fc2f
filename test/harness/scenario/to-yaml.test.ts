import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { scenarioToYaml } from '../../../harness/scenario/to-yaml.ts';
import { anyScenario } from './any-scenario.ts';

const PROPERTIES = ['no_effect_after_stop', 'fails_closed'];

test('a scenario that is written reads back as the equal scenario', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      expect(parseScenario(scenarioToYaml(scenario), 'scenario.yaml', PROPERTIES)).toEqual(scenario);
    }),
    { numRuns: 300 },
  );
});
