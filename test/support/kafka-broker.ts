import { chooseDrillFolder, makeDrillFolder } from '../../harness/environment/drill-folder.ts';
import type { KafkaServer } from '../../harness/environment/environment.ts';
import { startGuardian } from '../../harness/environment/guardian.ts';
import { findKafkaHome } from '../../harness/environment/kafka-home.ts';
import { newClusterId } from '../../harness/environment/kafka-process.ts';
import { startLocalKafka } from '../../harness/environment/local-kafka.ts';

/** A broker of a test file's own, which it may kill. */
export interface TestBroker {
  readonly kafka: KafkaServer;
  close(): Promise<void>;
}

/** Starts a broker from KAFKA_HOME; a guardian removes it, also when the run is killed. */
export async function startTestBroker(): Promise<TestBroker> {
  const home = await findKafkaHome(process.env);
  const folder = chooseDrillFolder();
  const guardian = await startGuardian({ folder });
  try {
    makeDrillFolder(folder);
    const clusterId = newClusterId();
    const kafka = await startLocalKafka({ home, folder, clusterId, onStarted: (pid) => guardian.watch(pid) });
    return {
      kafka,
      close: async () => {
        await kafka.close();
        await guardian.done();
      },
    };
  } catch (error) {
    await guardian.done();
    throw error;
  }
}
