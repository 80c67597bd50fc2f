import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../harness/checkers/judge.ts';
import { PROPERTY_NAMES } from '../../harness/checkers/registry.ts';
import { NOTHING_PLANTED } from '../../harness/drill/prepare-store.ts';
import { runDrill } from '../../harness/drill/run-drill.ts';
import type { DrillOutcome } from '../../harness/drill/drill-input.ts';
import { withEnvironment } from '../../harness/drill/with-environment.ts';
import { startProxy } from '../../harness/environment/proxy.ts';
import type { HistoryEvent } from '../../harness/history/event.ts';
import { parseScenario } from '../../harness/scenario/parse.ts';
import { planDrill } from '../../harness/traffic/plan-drill.ts';
import { shortDrill } from './short-drill.ts';
import { project, Workshop } from './workshop.ts';

let workshop: Workshop;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

/** Every fault that a proxy can have, and what it needs to be told. */
const KINDS = [
  ['cut', ''],
  ['reset', ''],
  ['half-open', ''],
  ['latency', ', delay: 100ms'],
  ['jitter', ', delay: 100ms'],
  ['bandwidth', ', bytes: 20000/s'],
] as const;
const FAULTS = KINDS.flatMap(([kind, more]) =>
  [['worker-1', 'registry'] as const, ['worker-2', 'work'] as const].map(([target, plane]) => ({
    ...{ kind, target, plane },
    entry: `{ at: +150ms, fault: { kind: ${kind}, target: ${target}, plane: ${plane}${more}, for: 600ms } }`,
  })),
);

/** A drill with proxies of one make or another. */
function drill(text: string, start: typeof startProxy): Promise<DrillOutcome> {
  const { signal } = new AbortController();
  return withEnvironment('embedded', signal, ({ environment, folder, watch }) =>
    runDrill({
      plan: planDrill(parseScenario(text, 'without-proxies.yaml', PROPERTY_NAMES)),
      environment,
      folder,
      reportsFolder: join(workshop.folder, 'reports'),
      command: [process.execPath, join(project, 'dist/fleet-sim/main.js')],
      planted: NOTHING_PLANTED,
      onSpawned: watch,
      startProxy: start,
      onProgress: () => undefined,
      signal,
    }),
  );
}

/** A real proxy, out of the way: workers are told of an address that leads straight to the server. */
const startProxyAside: typeof startProxy = async (options) => {
  const aside = await startProxy(options);
  const straight = createServer((client) => {
    const server = connect(options.target);
    pipeline(client, server, () => undefined);
    pipeline(server, client, () => undefined);
  });
  straight.listen(0, '127.0.0.1');
  await once(straight, 'listening');
  return {
    port: (straight.address() as AddressInfo).port,
    get connections() {
      return aside.connections;
    },
    apply: (fault, onObserved) => aside.apply(fault, onObserved),
    close: async () => {
      straight.close();
      await aside.close();
    },
  };
};

function receiptsOf(events: readonly HistoryEvent[], fault: number): readonly string[] {
  return events.flatMap((event) => ('fault' in event && event.fault === fault ? [event.type] : []));
}

/** The history as it is when the proxies of all faults but one were in the way. */
function seenBut(events: readonly HistoryEvent[], unseen: number): readonly HistoryEvent[] {
  return events.flatMap((event) =>
    event.type === 'fault.injected' && event.fault !== unseen ? [event, { ...event, type: 'fault.observed' }] : [event],
  );
}

describe('a drill whose proxies are not between its workers and their servers', () => {
  it('lacks the receipt of every fault on a plane, and is inconclusive for want of any one of them', async () => {
    const text = shortDrill({ name: 'proxies-aside', faults: FAULTS.map(({ entry }) => entry), hold: '9s' });
    const { record, judgement } = await drill(text, startProxyAside);
    expect(judgement).toMatchObject({ verdict: 'inconclusive', exitCode: 2 });
    for (const [at, { kind, target, plane }] of FAULTS.entries()) {
      const others = ['fault.selected', 'fault.injected', 'fault.recovered'];
      expect(receiptsOf(record.events, at + 1), `${kind} on ${plane}`).toEqual(others);
      const { verdict, exitCode, worst } = judge({ ...record, events: seenBut(record.events, at + 1) });
      expect({ verdict, exitCode, reason: worst?.reason }).toEqual({
        verdict: 'inconclusive',
        exitCode: 2,
        reason: `not shown: all receipts of the ${kind} of ${target} (${plane} plane): 'fault.observed' is missing`,
      });
      expect(worst?.evidence).toMatchObject({ kind, target, plane, missing: ['fault.observed'] });
    }
  });

  it('does not blame the fleet for going on: a partition that took nobody away shows nothing', async () => {
    const text = readFileSync(join(project, 'scenarios/worker-partitioned.yaml'), 'utf8');
    const { judgement } = await drill(text, startProxyAside);
    const { verdict, exitCode, worst, properties, expectations } = judgement;
    expect({ verdict, exitCode, worst: worst?.reason }).toEqual({
      verdict: 'inconclusive',
      exitCode: 2,
      worst: "not shown: that the cut of every plane of worker-1 was seen to act: a 'fault.observed' is missing",
    });
    expect(expectations.find(({ name }) => name === 'went_as_planned')).toMatchObject({
      verdict: 'inconclusive',
      reason: "not shown: all receipts of the cut of worker-1 (registry plane): 'fault.observed' is missing",
    });
    expect(properties.filter((property) => property.verdict === 'fail')).toEqual([]);
  });
});

describe('the same drill with its proxies in the way', () => {
  it('has all receipts, and passes', async () => {
    // Two that may be on one plane of a worker at a time, since a cut leaves nothing for the others to act on.
    const faults = FAULTS.filter(({ kind }) => kind === 'half-open' || kind === 'latency').map(({ entry }) => entry);
    const { record, judgement } = await drill(shortDrill({ name: 'proxies', faults, hold: '9s' }), startProxy);
    expect({ verdict: judgement.verdict, worst: judgement.worst?.reason }).toEqual({
      verdict: 'pass',
      worst: undefined,
    });
    const observed = record.events.filter(({ type }) => type === 'fault.observed');
    expect(observed).toHaveLength(faults.length);
  });
});
