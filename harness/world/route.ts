import { SPAWN_CAPABILITY } from '../traffic/trace.ts';

export interface EffectRoute {
  readonly kind: 'effect';
  readonly capability: string;
  readonly run: string;
  readonly key: string;
}

/** Asks for a child of a run. */
export interface SpawnRoute {
  readonly kind: 'spawn';
  /** The parent. */
  readonly run: string;
  readonly key: string;
}

export interface Refusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly why: string;
}

/** What a request to a channel is about. */
export type Route = { readonly kind: 'work' } | EffectRoute | SpawnRoute | Refusal;

export interface RouteRequest {
  readonly method: string;
  readonly url: string;
  /** A header's value; undefined when it is absent. */
  readonly header: (name: string) => string | undefined;
}

const CAPABILITY = /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/;
const MAX_NAME = 300;

/** Reads a request's line and headers. `isOtherToken` tells a token of another channel from none. */
export function readRoute(request: RouteRequest, token: string, isOtherToken: (token: string) => boolean): Route {
  const [path = ''] = request.url.split('?', 1);
  const [, given = '', section = '', ...rest] = path.split('/');
  if (given !== token) {
    return refused(403, isOtherToken(given) ? 'the token belongs to another channel' : 'no token of this channel');
  }
  if (section === 'work' && rest.length === 0) {
    return request.method === 'GET' ? { kind: 'work' } : refused(405, `${request.method} where GET was expected`);
  }
  const isSpawn = section === 'runs' && rest.length === 0;
  if (!isSpawn && section !== 'effects') return refused(404, 'neither /work, /runs nor /effects/{capability}');
  if (request.method !== 'POST') return refused(405, `${request.method} where POST was expected`);
  return isSpawn ? readSpawn(request) : readEffect(request, rest.join('/'));
}

function readSpawn({ header }: RouteRequest): Route {
  const named = readNames(header);
  return named.kind === 'refused' ? named : { ...named, kind: 'spawn' };
}

function readEffect({ header }: RouteRequest, encoded: string): Route {
  const capability = decode(encoded);
  if (capability === null || capability.length > MAX_NAME || !CAPABILITY.test(capability)) {
    return refused(400, 'no capability such as write/mail after /effects/');
  }
  if (capability === SPAWN_CAPABILITY)
    return refused(400, `${SPAWN_CAPABILITY} as an effect; a child is asked for at /runs`);
  const named = readNames(header);
  return named.kind === 'refused' ? named : { ...named, kind: 'effect', capability };
}

function readNames(
  header: RouteRequest['header'],
): { readonly kind: 'named'; readonly run: string; readonly key: string } | Refusal {
  const run = header('x-run') ?? '';
  if (run === '' || run.length > MAX_NAME) return refused(400, `header x-run is not 1 to ${MAX_NAME} characters`);
  const key = header('idempotency-key') ?? '';
  if (key === '' || key.length > MAX_NAME)
    return refused(400, `header idempotency-key is not 1 to ${MAX_NAME} characters`);
  return { kind: 'named', run, key };
}

function decode(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

function refused(status: number, why: string): Refusal {
  return { kind: 'refused', status, why };
}

/** A request's path for the record: bounded, and without the token, so that a bundle gives none away. */
export function recordedPath(url: string): string {
  return url.replace(/^\/[0-9a-f]{32}(?=\/|$|\?)/, '/<token>').slice(0, 200);
}
