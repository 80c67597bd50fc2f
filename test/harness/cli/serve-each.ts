import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach } from 'vitest';
import { keyEntry } from '../../../src/control/api/api-keys.ts';
import { prepareDatabase } from '../../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { startServe } from './served-process.ts';
import type { ServedProcess } from './served-process.ts';

/** What a test of `killdrill serve` works on: a database and a folder of its own. */
export interface ServeGround {
  readonly database: PreparedDatabase;
  /** Where the command is started. The key `a-stop-key` may stop. */
  readonly folder: string;
  /** Starts it on the namespace; it is killed at the end if it is still there. */
  readonly serve: (flags: readonly string[], env?: Readonly<Record<string, string>>) => Promise<ServedProcess>;
}

/** Hands each test of the file its ground, and lets go of it afterwards. */
export function serveEach(namespace: string, take: (ground: ServeGround) => void): void {
  beforeEach(async () => {
    const database = await prepareDatabase();
    await database.addNamespace(namespace);
    const folder = mkdtempSync(join(tmpdir(), 'killdrill-serve-'));
    writeFileSync(join(folder, 'killdrill-keys.json'), JSON.stringify([keyEntry('on-call', 'stop', 'a-stop-key')]));
    const served: ServedProcess[] = [];
    const to = ['--database', database.flipperUrl, '--namespace', namespace];
    take({
      ...{ database, folder },
      serve: async (flags, env = {}) => {
        const one = await startServe([...to, ...flags], env, folder);
        served.push(one);
        return one;
      },
    });
    return async () => {
      for (const one of served) if (one.child.exitCode === null) await one.end('SIGKILL');
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    };
  });
}
