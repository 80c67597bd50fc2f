import { randomUUID } from 'node:crypto';
import { messageOf } from '../src/errors.ts';
import { inBrackets } from '../harness/drill/brackets.ts';
import { chooseDrillFolder, makeDrillFolder } from '../harness/environment/drill-folder.ts';
import type { PostgresServer } from '../harness/environment/environment.ts';
import { startGuardian } from '../harness/environment/guardian.ts';
import { findKafkaHome } from '../harness/environment/kafka-home.ts';
import type { KafkaHome } from '../harness/environment/kafka-home.ts';
import { newClusterId } from '../harness/environment/kafka-process.ts';
import { startLocalKafka } from '../harness/environment/local-kafka.ts';
import type { AlertWire } from './alert-wire.ts';
import { benchAlerts } from './alerts.ts';
import type { AlertBench } from './alerts.ts';
import { RUNAWAY } from './first-bad-call.ts';
import { summaryTable } from './summary-table.ts';

interface Ground {
  readonly postgres: PostgresServer;
  /** The URL of a new database with this name, migrated. */
  readonly newDatabase: (name: string) => Promise<string>;
  readonly namespace: string;
  readonly processes: number;
  /** Which buses. */
  readonly wanted: readonly AlertWire['kind'][];
  readonly print: (title: string, body: string) => void;
}

/** The same over both buses; over Kafka only where there is one. */
export async function printAlertBuses(ground: Ground): Promise<void> {
  const { wanted } = ground;
  if (wanted.includes('PostgreSQL'))
    await printBus(ground, { kind: 'PostgreSQL', topic: 'killdrill.alerts' }, 'p50 at most 5, p99 at most 30');
  if (!wanted.includes('Kafka')) return;
  let home: KafkaHome;
  try {
    home = await findKafkaHome(process.env);
  } catch (error) {
    ground.print('Alerts over Kafka: skipped', messageOf(error));
    return;
  }
  await withBroker(home, (wire) => printBus(ground, wire, 'p50 at most 25, p99 at most 100'));
}

async function printBus(ground: Ground, wire: AlertWire, goal: string): Promise<void> {
  const { postgres, newDatabase, namespace, processes, print } = ground;
  const url = await newDatabase(`bench_alerts_${wire.kind.toLowerCase()}`);
  const bench = await benchAlerts({ wire, postgres, url, namespace, processes });
  const { poison, storeReturn, alerts, wrong } = bench;
  const { writesPerSecond, perSecond } = RUNAWAY;
  const title = [
    `Alerts over ${wire.kind}, an executor beside ${processes} processes, ms (goal: last of ${processes} ${goal};`,
    `first bad call max at most 600; ${poison.count} poison alerts add at most 100, here ${poison.addsMs.toFixed(1)}, median of pairs;`,
    `durable again within 1,000)`,
  ].join(' ');
  const held: [string, AlertBench['lastOf']][] =
    storeReturn.held === null
      ? []
      : [['published while PostgreSQL is away to enforced by the executor', storeReturn.held]];
  print(
    title,
    summaryTable([
      ['published to acknowledged', bench.acknowledged],
      [`published to last of ${processes} processes`, bench.lastOf],
      [`first of ${writesPerSecond} writes/s (red at ${perSecond}/s) to last of ${processes}`, bench.firstBadCall],
      ['executor continued to last, one stop waiting', poison.alone],
      [`the same behind ${poison.count} poison alerts`, poison.behind],
      ...held,
      ['PostgreSQL killed: its return to durable', storeReturn.durable],
    ]),
  );
  process.stdout.write(`${alerts} acknowledged alerts, of which ${wrong} did not become one flip\n`);
  if (wrong > 0) process.exitCode = 1;
}

function withBroker(home: KafkaHome, use: (wire: AlertWire) => Promise<void>): Promise<void> {
  return inBrackets(async (brackets) => {
    const folder = chooseDrillFolder();
    const guardian = await startGuardian({ folder });
    brackets.add(async () => void (await guardian.done()));
    makeDrillFolder(folder);
    const onStarted = (pid: number): void => guardian.watch(pid);
    const kafka = await startLocalKafka({ home, folder, clusterId: newClusterId(), onStarted });
    brackets.add(() => kafka.close());
    const { alerts: topic, deadLetters: deadTopic, group } = await kafka.createTopics(`bench-${randomUUID()}`);
    await use({ kind: 'Kafka', broker: kafka.door('bench').brokers, topic, deadTopic, group });
  });
}
