import { createDrillDatabase, newSecret, withClient } from './drill-database.ts';
import type { AdministeredServer } from './drill-database.ts';
import { ContainerServer, startForDrill } from './container-server.ts';
import type { ContainerOptions } from './container-server.ts';
import type { DrillDatabase, PostgresServer } from './environment.ts';
import { startProxy } from './proxy.ts';

const PORT = 5432;
const SUPERUSER = 'postgres';
/** As the embedded server is told (`postgres-cluster.ts`). */
const SETTINGS = [
  'max_connections=200',
  'log_timezone=UTC',
  'timezone=UTC',
  'log_min_messages=warning',
  // one call after a kill instead of one for each of a thousand files: back after 0.7 s, not 2.2 s, on a busy machine
  'recovery_init_sync_method=syncfs',
];

/** A PostgreSQL server in a container of an image that keeps the contract of the official one. */
export interface ContainerPostgres extends PostgresServer {
  /** As the server says it. */
  readonly version: string;
  createDatabase(name: string): Promise<DrillDatabase>;
  close(): Promise<void>;
}

export async function startContainerPostgres(options: ContainerOptions): Promise<ContainerPostgres> {
  const { engine, image, name, labels } = options;
  const password = newSecret();
  let hostPort = (): number | null => null;
  // A restarted container comes back on another port; the proxy, which reads this anew at each connection, stays.
  const target = {
    host: '127.0.0.1',
    get port(): number {
      return hostPort() ?? 1;
    },
  };
  const proxy = await startProxy({ target });
  const address = { host: '127.0.0.1', port: proxy.port };
  const administered: AdministeredServer = { ...address, superuser: { user: SUPERUSER, password } };
  let version = 'unknown';
  const spec = {
    ...{ image, name, labels },
    environment: { POSTGRES_USER: SUPERUSER, POSTGRES_PASSWORD: password, POSTGRES_DB: 'postgres', TZ: 'UTC' },
    ports: [PORT],
    command: ['postgres', ...SETTINGS.flatMap((setting) => ['-c', setting])],
  };
  const server = new ContainerServer(engine, spec, async () => {
    version = await withClient(administered, administered.superuser, 'postgres', askVersion);
  });
  hostPort = () => server.hostPort(PORT);
  const close = async (): Promise<void> => {
    await server.close();
    await proxy.close();
  };
  const started = await startForDrill(server, close);
  return {
    ...started,
    target: address,
    version,
    createDatabase: (drill) => createDrillDatabase(administered, drill),
  };
}

async function askVersion(client: {
  query(sql: string): Promise<{ rows: { server_version: string }[] }>;
}): Promise<string> {
  const { rows } = await client.query('show server_version');
  return rows[0]?.server_version ?? 'unknown';
}
