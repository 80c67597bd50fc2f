import { rm } from 'node:fs/promises';
import { createDrillDatabase, newSecret } from './drill-database.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import type { DrillDatabase } from './environment.ts';
import type { Guardian } from './guardian.ts';
import type { PostgresSettings } from './postgres-cluster.ts';

/** The embedded PostgreSQL of an environment, in the drill's folder. */
export interface OwnPostgres {
  readonly server: EmbeddedPostgres;
  /** For the facts of the environment. */
  readonly fact: string;
  createDatabase(name: string): Promise<DrillDatabase>;
  close(): Promise<void>;
}

export interface OwnPostgresOptions {
  /** The drill's folder, made; its guardian is running already. */
  readonly folder: string;
  readonly guardian: Guardian;
  readonly settings?: PostgresSettings;
}

/** @throws KilldrillError as `startEmbeddedPostgres`. */
export async function startOwnPostgres(options: OwnPostgresOptions): Promise<OwnPostgres> {
  const { folder, guardian, settings = {} } = options;
  const server = await startEmbeddedPostgres({
    folder,
    superuserPassword: newSecret(),
    settings,
    onStarted: (pid) => guardian.watch(pid),
  });
  const { socketFolder, superuser } = server;
  return {
    server,
    fact: `PostgreSQL ${server.version}, embedded, on a unix socket`,
    createDatabase: (name) => createDrillDatabase({ host: socketFolder, port: 5432, superuser }, name),
    close: async () => {
      await server.stop();
      const parts = ['data', 's', 'postgres', 'postgres.log'].map((part) => `${folder}/${part}`);
      await Promise.all(parts.map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}
