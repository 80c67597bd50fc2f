import { KilldrillError } from './errors.ts';

type Input = Parameters<typeof globalThis.fetch>[0];

/** What is known of a request before it is sent; its body is not looked into. */
export interface FetchRequest {
  /** In capitals. */
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
}

/** The arguments of a `fetch`, read but not used up. */
export interface AskedRequest {
  readonly input: Input;
  readonly init: RequestInit | undefined;
  readonly request: FetchRequest;
  readonly signal: AbortSignal | null;
  readonly redirect: 'follow' | 'error' | 'manual';
}

/**
 * Reads what a `fetch` was asked for. No Request is made of it: that would use up a body that is a stream, and lose what other
 * implementations take besides (undici's `dispatcher`).
 *
 * @throws KilldrillError `FETCH_URL` for a URL of another scheme than http or https; TypeError as `fetch` for none at all.
 */
export function readRequest(input: Input, init: RequestInit | undefined): AskedRequest {
  const given = typeof input === 'object' && 'url' in input ? input : null;
  const url = new URL(typeof input === 'object' && 'url' in input ? input.url : input);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new KilldrillError(
      'FETCH_URL',
      `the gate was asked for a URL of scheme '${url.protocol}'; expected http: or https:. What leaves no process needs no gate: use fetch itself`,
    );
  }
  const headers = new Headers(init?.headers ?? given?.headers);
  // Headers may come as an iterator, which can be read once
  const readInit = init?.headers === undefined ? init : { ...init, headers };
  return {
    input,
    init: readInit,
    request: { method: (init?.method ?? given?.method ?? 'GET').toUpperCase(), url, headers },
    signal: (init?.signal === undefined ? given?.signal : init.signal) ?? null,
    redirect: init?.redirect ?? given?.redirect ?? 'follow',
  };
}
