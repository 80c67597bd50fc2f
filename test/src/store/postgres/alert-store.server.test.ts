import { openAlertStore } from '../../../../src/store/postgres/alert-store.ts';
import { openFlipSource } from '../../../../src/store/postgres/flip-source.ts';
import { openFlipStore } from '../../../../src/store/postgres/flip-store.ts';
import { describeAlertStoreContract } from '../../alerts/alert-store-contract.ts';
import type { AlertRow, GapRow } from '../../alerts/alert-store-world.ts';
import { PATIENT, prepareDatabase } from './prepared-database.ts';

describeAlertStoreContract('PostgreSQL', async () => {
  const database = await prepareDatabase();
  const owner = await database.connect(database.ownerUrl);
  return {
    openWorld: async (namespace) => {
      await database.addNamespace(namespace);
      return {
        open: () => {
          const as = (connectionString: string) => ({ connectionString, namespace, timings: PATIENT });
          const alerts = openAlertStore(as(database.flipperUrl));
          const control = openFlipStore(as(database.flipperUrl));
          const flips = openFlipSource(as(database.workerUrl));
          const ports = [alerts, control, flips];
          return {
            ...{ alerts, control, flips },
            close: async () => void (await Promise.all(ports.map((port) => port.close()))),
          };
        },
        records: async () => {
          const { rows } = await owner.query<AlertRow>(
            `select topic, partition, position::integer, kind, flip_id as "flipId", code, why
             from killdrill.alert_record where namespace = $1 order by at`,
            [namespace],
          );
          return rows;
        },
        gaps: async () => {
          const { rows } = await owner.query<GapRow>(
            `select topic, from_position::integer as "from", to_position::integer as "to", why
             from killdrill.alert_gap where namespace = $1 order by id`,
            [namespace],
          );
          return rows;
        },
      };
    },
    close: () => database.close(),
  };
});
