import { DEFAULT_SCHEMA } from '../../src/store/postgres/options.ts';
import type { Session } from '../../src/store/postgres/session.ts';
import type { PlantedTask } from '../conductor/probes.ts';
import { handedRun } from '../world/handed-run.ts';

/** Beside every function that a fleet may call: no fence, no engagement is looked at. */
const INSERT = `insert into ${DEFAULT_SCHEMA}.task (namespace, id, kind, run, tenant, feature, agent, lineage, plan, admitted_revision)
  values ($1, $2, 'run', $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`;

/** Puts one run into the queue, due now, as the store's owner; a second time changes nothing. */
export async function plantTask(
  owner: Session,
  namespace: string,
  { run, admittedRevision }: PlantedTask,
): Promise<void> {
  const { tenant, feature, agent, lineage = [] } = run;
  const plan = JSON.stringify(handedRun(run).plan);
  const values = [namespace, run.run, tenant, feature, agent, [...lineage], plan, admittedRevision];
  await owner.use('plant', (ask) => ask(INSERT, values));
}
