import pg from 'pg';
import { KilldrillError, messageOf } from '../../../src/errors.ts';
import { migrate as migrateDatabase } from '../../../src/store/postgres/migrate.ts';
import type { Inventory } from '../../../src/store/effectiveness-port.ts';
import type { CriticalRules } from '../../../src/store/store.ts';
import { inventoryOf } from '../inventory-flags.ts';
import type { InventoryFlags } from '../inventory-flags.ts';
import { readCriticalFile } from '../critical-file.ts';
import { wrap } from '../../report/wrap.ts';
import { EXIT } from '../exit.ts';
import { askerName, databaseUrl, namespaceOf, withOperator } from '../operator-connection.ts';
import type { AskerFlags, StoreFlags } from '../operator-connection.ts';
import { data } from '../output.ts';

const CONNECT_MS = 10_000;
/** Columns of a terminal that everybody has. */
const WIDTH = 80;

export interface MigrateFlags extends StoreFlags, AskerFlags, InventoryFlags {
  /** A file with what is critical. */
  readonly critical?: string;
  readonly json?: boolean;
}

/** `killdrill migrate`: prepares a database for a namespace, as its owner. Safe to run again. */
export async function migrate(flags: MigrateFlags): Promise<number> {
  const url = databaseUrl(flags);
  const namespace = namespaceOf(flags);
  const rules = flags.critical === undefined ? null : readCriticalFile(flags.critical);
  const inventory = inventoryOf(flags);
  const { version, applied } = await prepare(url, namespace);
  if (rules !== null) await setCritical(flags, rules);
  if (inventory !== null) await declareInventory(flags, inventory);
  const declared = {
    ...(rules === null ? {} : { critical: rules }),
    ...(inventory === null ? {} : { expected: inventory }),
  };
  if (flags.json === true) data(JSON.stringify({ namespace, version, applied, ...declared }));
  else {
    const words = `namespace '${namespace}' is ready; ${appliedWords(version, applied)}${rules === null ? '' : ruleWords(rules)}${inventory === null ? '' : inventoryWords(inventory)}`;
    data(wrap(words, WIDTH).join('\n'));
  }
  return EXIT.pass;
}

async function prepare(url: string, namespace: string): ReturnType<typeof migrateDatabase> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS, keepAlive: true });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await migrateDatabase(client, { namespace });
  } catch (error) {
    if (error instanceof KilldrillError) throw error;
    throw new KilldrillError('MIGRATE_FAILED', `the database cannot be migrated: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

function setCritical(flags: MigrateFlags, rules: CriticalRules): Promise<void> {
  const asker = { by: askerName(flags), reason: flags.reason ?? 'killdrill migrate --critical' };
  return withOperator(flags, ({ operator }) => operator.setCritical(rules, asker));
}

function declareInventory(flags: MigrateFlags, inventory: Inventory): Promise<void> {
  const asker = { by: askerName(flags), reason: flags.reason ?? 'killdrill migrate --expected' };
  return withOperator(flags, ({ effectiveness }) => effectiveness.declareInventory(inventory, asker));
}

function inventoryWords({ pools, closed }: Inventory): string {
  const named = Object.entries(pools).map(([pool, count]) => `${count} of pool ${pool}`);
  return `; expected from now on: ${named.join(', ')}${closed ? ', and nobody else' : ''}`;
}

function appliedWords(version: number, applied: readonly string[]): string {
  return applied.length === 0
    ? `the database was at version ${version} already`
    : `applied ${applied.join(', ')} (version ${version})`;
}

function ruleWords({ capabilities, classes }: CriticalRules): string {
  return `; critical from now on: ${capabilities.length} capabilities, ${classes.length} switches of task classes (workers that run read it when they load anew)`;
}
