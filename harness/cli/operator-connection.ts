import { userInfo } from 'node:os';
import pg from 'pg';
import type { AuditStore } from '../../src/store/audit-port.ts';
import { openAuditStore } from '../../src/store/postgres/audit-store.ts';
import type { EffectivenessStore } from '../../src/store/effectiveness-port.ts';
import { openEffectivenessStore } from '../../src/store/postgres/effectiveness-store.ts';
import type { CanaryTurns } from '../../src/store/canary-port.ts';
import { openCanaryTurns } from '../../src/store/postgres/canary-turns.ts';
import { openFlipSource } from '../../src/store/postgres/flip-source.ts';
import { openFlipStore } from '../../src/store/postgres/flip-store.ts';
import { openOperatorStore } from '../../src/store/postgres/operator-store.ts';
import type { FlipStore, OperatorStore } from '../../src/store/store.ts';
import { usage } from './usage.ts';

/** Where a namespace is; what is left out comes from the environment. */
export interface StoreFlags {
  readonly database?: string;
  readonly namespace?: string;
}

export interface AskerFlags {
  readonly by?: string;
  readonly reason?: string;
}

/** What an operator's command works on. */
export interface OperatorConnection {
  readonly namespace: string;
  readonly flips: FlipStore;
  readonly operator: OperatorStore;
  readonly audit: AuditStore;
  readonly effectiveness: EffectivenessStore;
  readonly canaries: CanaryTurns;
  /** How many flips there are. */
  readonly headRevision: () => Promise<number>;
}

/** An operator waits longer than a worker may, milliseconds. */
const PATIENT = { connectMs: 10_000, statementMs: 20_000, answerMs: 22_000 };

/**
 * The database that a command was given.
 *
 * @throws KilldrillError `USAGE`
 */
export function databaseUrl({ database }: StoreFlags): string {
  const url = database ?? process.env['KILLDRILL_DATABASE_URL'];
  if (url === undefined || url === '')
    throw usage('no database is named; give --database URL or set KILLDRILL_DATABASE_URL');
  // The URL holds a password: it is not repeated.
  if (!isReadable(url))
    throw usage('the database URL cannot be read; expected postgres://user:password@host:port/database');
  return url;
}

/** A URL, or a socket as pg takes it. Without a scheme pg takes anything, for a database on a host named `base`. */
function isReadable(url: string): boolean {
  if (!/^(?:postgres(?:ql)?:\/\/|socket:|\/)/i.test(url)) return false;
  try {
    void new pg.Client({ connectionString: url });
    return true;
  } catch {
    return false;
  }
}

/** The namespace that a command was given; `default` when nobody said. */
export function namespaceOf({ namespace }: StoreFlags): string {
  return namespace ?? process.env['KILLDRILL_NAMESPACE'] ?? 'default';
}

/** Who asks: as said, or else whoever is logged in. */
export function askerName({ by }: AskerFlags): string {
  if (by !== undefined) return by;
  try {
    return userInfo().username;
  } catch {
    return 'operator'; // a user that the system has no name for
  }
}

/**
 * The reason that goes on record.
 *
 * @throws KilldrillError `USAGE` when there is none
 */
export function reasonOf({ reason }: AskerFlags): string {
  if (reason === undefined || reason.trim() === '') throw usage('no reason is given; say why with --reason TEXT');
  return reason;
}

/** Works with the store, and closes its connections whatever happens. */
export async function withOperator<T>(
  flags: StoreFlags,
  work: (connection: OperatorConnection) => Promise<T>,
): Promise<T> {
  const namespace = namespaceOf(flags);
  const options = { connectionString: databaseUrl(flags), namespace, timings: PATIENT };
  const flips = openFlipStore(options);
  const operator = openOperatorStore(options);
  const effectiveness = openEffectivenessStore(options);
  const source = openFlipSource(options);
  const audit = openAuditStore(options);
  const canaries = openCanaryTurns(options);
  const headRevision = async (): Promise<number> => (await source.load()).head.revision;
  try {
    return await work({ namespace, flips, operator, effectiveness, canaries, audit, headRevision });
  } finally {
    const ports = [flips, operator, effectiveness, canaries, source, audit];
    await Promise.all(ports.map((port) => port.close()));
  }
}
