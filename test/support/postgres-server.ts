import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { chooseDrillFolder, makeDrillFolder } from '../../harness/environment/drill-folder.ts';
import { startEmbeddedPostgres } from '../../harness/environment/embedded-postgres.ts';
import { startGuardian } from '../../harness/environment/guardian.ts';

/** The PostgreSQL server that all `*.server.test.ts` of one run share. */
export interface TestServer {
  readonly socketFolder: string;
  readonly user: string;
  readonly password: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly postgresServer: TestServer;
  }
}

/** Starts the server before the tests; a guardian removes it afterwards, also when the run is killed. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = chooseDrillFolder();
  const guardian = await startGuardian({ folder });
  try {
    makeDrillFolder(folder);
    const superuserPassword = randomBytes(16).toString('hex');
    const server = await startEmbeddedPostgres({ folder, superuserPassword });
    project.provide('postgresServer', { socketFolder: server.socketFolder, ...server.superuser });
    return async () => {
      await server.stop();
      await guardian.done();
    };
  } catch (error) {
    await guardian.done();
    throw error;
  }
}
