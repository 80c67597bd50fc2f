import { describe, expect, it } from 'vitest';
import { sortOut } from '../../../harness/drill/lacking.ts';
import type { KafkaServer } from '../../../harness/environment/environment.ts';
import { exitCodeOf } from '../../../harness/cli/exit.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { scenarioText, timelineText } from '../scenario/scenario-text.ts';

const embedded = { name: 'embedded', kafka: null } as const;
const local = { name: 'local', kafka: {} as KafkaServer } as const;

function scenarioOf(name: string, ...entries: readonly string[]) {
  const text = scenarioText({ name: `name: ${name}`, timeline: timelineText(...entries) });
  return { scenario: parseScenario(text, 'x.yaml', []) };
}

const plain = scenarioOf('plain', '{ at: +1s, fault: { kind: kill, target: postgres, for: 1s } }');
const onKafka = scenarioOf('on-kafka', '{ at: +1s, fault: { kind: pause, target: kafka, for: 1s } }');

describe('what an environment lacks for a scenario', () => {
  it('is nothing where there is Kafka, or nothing is done to it', () => {
    expect(sortOut([plain, onKafka], local)).toEqual({ able: [plain, onKafka], skipped: [] });
    expect(sortOut([plain], embedded)).toEqual({ able: [plain], skipped: [] });
  });

  it('has the scenario skipped, with the reason and what to choose instead, while the others run', () => {
    const { able, skipped } = sortOut([onKafka, plain], embedded);
    expect(able).toEqual([plain]);
    const why =
      'on-kafka needs Kafka, for the pause of it; the alert bus of the environment embedded is PostgreSQL: choose --environment local or containers';
    expect(skipped).toEqual([{ scenario: 'on-kafka', why }]);
  });

  it('refuses to run nothing, as bad usage', () => {
    const refused = expect.objectContaining({ code: 'ENVIRONMENT_LACKS' });
    expect(() => sortOut([onKafka], embedded)).toThrow(refused);
    try {
      sortOut([onKafka], embedded);
    } catch (error) {
      expect(exitCodeOf(error)).toBe(3);
    }
  });
});
