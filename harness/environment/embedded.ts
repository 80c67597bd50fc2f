import type { Environment } from './environment.ts';
import { startOwnPostgres } from './own-postgres.ts';
import type { OwnPostgresOptions } from './own-postgres.ts';

/**
 * The environment that needs nothing but `npm ci`: a PostgreSQL server of its own in the drill's folder.
 *
 * @throws KilldrillError as `startEmbeddedPostgres`.
 */
export async function startEmbedded(options: OwnPostgresOptions): Promise<Environment> {
  const postgres = await startOwnPostgres(options);
  return {
    name: 'embedded',
    facts: {
      environment: 'embedded (servers of its own, nothing else needed)',
      postgres: postgres.fact,
      'alert bus': 'PostgreSQL (the alert path is not Kafka)',
    },
    postgres: postgres.server,
    kafka: null,
    createDatabase: (name) => postgres.createDatabase(name),
    close: () => postgres.close(),
  };
}
