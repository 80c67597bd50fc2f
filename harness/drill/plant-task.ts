import { DEFAULT_SCHEMA } from '../../src/store/postgres/options.ts';
import type { Session } from '../../src/store/postgres/session.ts';
import type { PlantedTask } from '../conductor/probes.ts';
import { handedRun } from '../world/handed-run.ts';

const PLANT = `select ${DEFAULT_SCHEMA}.drill_plant($1, $2, $3, $4, $5, $6, $7, $8)`;

/** Puts one run into the queue, due now, as the store's owner (queue-witness.ts has how). */
export async function plantTask(
  owner: Session,
  namespace: string,
  { run, admittedRevision }: PlantedTask,
): Promise<void> {
  const { tenant, feature, agent, lineage = [] } = run;
  const plan = JSON.stringify(handedRun(run).plan);
  const values = [namespace, run.run, tenant, feature, agent, [...lineage], plan, admittedRevision];
  await owner.use('plant', (ask) => ask(PLANT, values));
}
