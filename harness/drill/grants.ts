import pg from 'pg';
import type { Credentials } from '../environment/environment.ts';

/** Gives the drill's worker role rights that no worker has, for a mutant that needs them; `grants` are `privilege on table`. */
export async function grantToWorker(
  owner: pg.ClientConfig,
  worker: Credentials,
  grants: readonly string[],
): Promise<void> {
  if (grants.length === 0) return;
  const client = new pg.Client(owner);
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const grant of grants) await client.query(`grant ${grant} to ${pg.escapeIdentifier(worker.user)}`);
  } finally {
    await client.end();
  }
}
