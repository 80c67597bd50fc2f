import { KilldrillError } from '../../src/errors.ts';
import type { Credentials, DrillDatabase } from '../environment/environment.ts';
import type { ConnectTarget } from '../environment/proxy.ts';

/** The store's URL for the harness itself, which needs no proxy. */
export function storeUrl(target: ConnectTarget, { user, password }: Credentials, database: string): string {
  const { host, port } = hostOf(target);
  return `postgres://${user}:${password}@${encodeURIComponent(host)}:${port}/${database}`;
}

/** A connection of the drill's owner. */
export function asOwner(target: ConnectTarget, { owner, name }: DrillDatabase) {
  return { ...hostOf(target), user: owner.user, password: owner.password, database: name };
}

/** PostgreSQL's clients name a unix socket by its folder and port. */
function hostOf(target: ConnectTarget): { readonly host: string; readonly port: number } {
  if (!('path' in target)) return target;
  const socket = /^(.*)\/\.s\.PGSQL\.(\d+)$/.exec(target.path);
  if (socket?.[1] !== undefined) return { host: socket[1], port: Number(socket[2]) };
  throw new KilldrillError('SOCKET_PATH', `${target.path} is no PostgreSQL socket; expected a name like .s.PGSQL.5432`);
}
