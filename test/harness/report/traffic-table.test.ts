import { expect, test } from 'vitest';
import { columnsOf } from '../../../harness/report/wrap.ts';
import { trafficTable } from '../../../harness/report/traffic-table.ts';
import { parseScenario } from '../../../harness/scenario/parse.ts';
import { describeTrace } from '../../../harness/traffic/describe-trace.ts';
import { planDrill } from '../../../harness/traffic/plan-drill.ts';
import { scenarioText } from '../scenario/scenario-text.ts';

const planned = (traffic: string) =>
  describeTrace(planDrill(parseScenario(scenarioText({ traffic: `traffic: ${traffic}` }), 'x.yaml', [])).trace);

test('the traffic is shown as stated and as drawn, each capability with its times', () => {
  const text = trafficTable(planned('{ effects: 200/s }'), 80);
  for (const line of text.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80);
  expect(text).toMatch(/effects per run\s+│\s+5\.87 │/);
  expect(text).toMatch(/kind webhook\s+│\s+5\.2 % │\s+5\.\d % │/);
  expect(text).toMatch(/model\/chat.*│\s+53\.4 %, 120\/294\/611 ms │\s+5\d\.\d %, 1\d\d\//);
});

test('a drill without traffic has a table without draws', () => {
  expect(trafficTable(planned('{ effects: 0/s }'), 80)).toMatch(/timers ahead.*none/);
});
