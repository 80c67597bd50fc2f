import { KilldrillError } from '../../src/errors.ts';
import type { Credentials } from './environment.ts';

/** Servers that the user runs, as the drill's own variables name them. */
export interface ExternalSettings {
  readonly host: string;
  readonly port: number;
  readonly superuser: Credentials;
  /** `host:port` each; empty where PostgreSQL is the alert bus. */
  readonly brokers: readonly string[];
}

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost'];
const DATABASE = 'KILLDRILL_DRILL_DATABASE_URL';
const BROKERS = 'KILLDRILL_DRILL_KAFKA_BROKERS';
const ALLOWED = 'KILLDRILL_DRILL_ALLOWED_HOSTS';

/**
 * Reads where the servers of `external` are. A fleet's own variables are never looked at, and a host that is not this machine
 * has to be allowed by name: a drill stops whatever it finds.
 *
 * @throws KilldrillError `EXTERNAL_SETTINGS`, `EXTERNAL_HOST`
 */
export function readExternalSettings(environment: Readonly<NodeJS.ProcessEnv>): ExternalSettings {
  const url = parseUrl(environment[DATABASE] ?? '');
  const brokers = list(environment[BROKERS]);
  const allowed = [...LOOPBACK, ...list(environment[ALLOWED])];
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  for (const [variable, name] of [[DATABASE, host], ...brokers.map((broker) => [BROKERS, hostOf(broker)])] as const) {
    if (name !== undefined && allowed.includes(name)) continue;
    const message = `${variable} names the host ${name}, which is not allowed; if servers there may be drilled, add it to ${ALLOWED}`;
    throw new KilldrillError('EXTERNAL_HOST', message);
  }
  return {
    host,
    port: Number(url.port || 5432),
    superuser: { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
    brokers,
  };
}

function parseUrl(text: string): URL {
  const wanted =
    'expected postgres://superuser:password@host:port, without anything behind it, of a server that is there for drills';
  if (text === '') throw invalid(`is not set; ${wanted}`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(`is no URL; ${wanted}`); // without the text, which has a password
  }
  if (!/^postgres(ql)?:$/.test(url.protocol)) throw invalid(`begins with ${url.protocol}; ${wanted}`);
  if (url.hostname === '') throw invalid(`names no host (a unix socket will not do); ${wanted}`);
  if (url.search !== '')
    throw invalid(
      `has parameters (${url.search}), but a drill's connections go through proxies, without TLS; ${wanted}`,
    );
  return url;
}

function invalid(found: string): KilldrillError {
  return new KilldrillError('EXTERNAL_SETTINGS', `${DATABASE} ${found}`);
}

function list(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function hostOf(broker: string): string {
  return broker.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
