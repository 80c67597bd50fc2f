import { expect, it } from 'vitest';
import { drillEndMs } from '../../../harness/scenario/drill-end.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { scenarioText, timelineText } from './scenario-text.ts';

const cut = (plane: string, forMs: number, at = ''): string =>
  `{ ${at}fault: { kind: cut, target: worker-1, plane: ${plane}, for: ${forMs}ms } }`;

const endMs = (...faults: readonly string[]): number =>
  drillEndMs(parseScenario(scenarioText({ timeline: timelineText(...faults) }), 'x.yaml', []));

it('counts faults that begin together and last equally long once, and any others one after another', () => {
  const withoutMs = endMs();
  expect(endMs(cut('registry', 5_000), cut('work', 5_000)) - withoutMs).toBe(5_000);
  expect(endMs(cut('registry', 5_000), cut('work', 400)) - withoutMs).toBe(5_400);
  expect(endMs(cut('registry', 5_000), cut('work', 5_000, 'at: +1s, ')) - withoutMs).toBe(11_000);
});
