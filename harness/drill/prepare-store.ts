import pg from 'pg';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { DEFAULT_SCHEMA } from '../../src/store/postgres/options.ts';
import type { Session } from '../../src/store/postgres/session.ts';
import { QUEUE_WITNESS } from '../journal/queue-witness.ts';
import type { DrillStore } from './drill-store.ts';
import type { FleetSpec } from '../scenario/scenario.ts';

/** What a mutant needs of the store beyond what a fleet gets. */
export interface Planted {
  /** Rights for the worker's role, as `privilege on table`. */
  readonly grants: readonly string[];
  /** Statements that put its bug into the store itself; null for none. */
  readonly sql: string | null;
}

export const NOTHING_PLANTED: Planted = { grants: [], sql: null };

/**
 * Makes a fresh store ready for a drill, before the fleet starts: the queue's witness, then whatever a mutant plants, in
 * one transaction.
 *
 * @param worker the login role of the fleet
 * @throws KilldrillError `DRILL_STORE_NOT_PREPARED`
 */
export async function prepareStore(owner: Session, worker: string, { grants, sql }: Planted): Promise<void> {
  try {
    await owner.use('prepare', async (ask) => {
      await ask('begin');
      await ask(`set local search_path = ${DEFAULT_SCHEMA}, pg_temp`);
      await ask(QUEUE_WITNESS);
      for (const grant of grants) await ask(`grant ${grant} to ${pg.escapeIdentifier(worker)}`);
      if (sql !== null) await ask(sql);
      await ask('commit');
    });
  } catch (cause) {
    const what = sql === null ? 'the witness of its queue' : "the witness of its queue and the mutant's sql";
    throw new KilldrillError(
      'DRILL_STORE_NOT_PREPARED',
      `the drill's store did not take ${what}: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Declares what the operator says before the fleet starts: who should be there, what is critical, and what the agents run. */
export async function declareStart(
  { operator: store, effectiveness }: Pick<DrillStore, 'operator' | 'effectiveness'>,
  { critical, contract, workers }: FleetSpec,
): Promise<void> {
  const asker = { by: 'drill', reason: 'before the fleet starts' };
  if (critical.capabilities.length > 0 || critical.classes.length > 0) await store.setCritical(critical, asker);
  // A drill's fleet is all there is: nobody else has the way to its world.
  await effectiveness.declareInventory({ pools: { default: workers }, closed: true }, asker);
  if (contract !== null) await store.declareContract(contract, asker);
}
