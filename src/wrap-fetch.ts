import { EffectFailedError } from './call.ts';
import type { Effect } from './effect.ts';
import { KilldrillError } from './errors.ts';
import { readRequest } from './fetch-request.ts';
import type { AskedRequest, FetchRequest } from './fetch-request.ts';
import { runJoined } from './joined-call.ts';
import type { JoinedSending, Sender } from './joined-call.ts';
import { endedBy, trackBody } from './tracked-body.ts';

type Fetch = typeof globalThis.fetch;

export interface WrapFetchOptions {
  /**
   * From the dispatch until the whole body has arrived, milliseconds; there is no default, since a call without an end
   * cannot be accounted for.
   */
  readonly deadlineMs: number;
  /**
   * Which effect a request is; what is left out keeps its default: access `read` for GET and HEAD, otherwise `write`;
   * capability `read/http/<host>` or `write/http/<host>`, with the port where it is not the scheme's own; as idempotency key
   * the request's header of that name, else a new one for each call.
   */
  readonly effectOf?: (request: FetchRequest) => Partial<Effect>;
  /** What an answer says of its effect. Default `outcomeOfStatus`. */
  readonly outcomeOf?: (response: Response) => FetchOutcome;
  /** Default `refuse`: a redirect leads to where nobody has asked the gate. With `follow` the first request alone is judged. */
  readonly redirects?: 'refuse' | 'follow';
  /** What sends. Default the global `fetch`, looked up at each call. */
  readonly fetch?: Fetch;
  /** Makes the idempotency key of a request that has none. Default `crypto.randomUUID`. */
  readonly newKey?: () => string;
}

/** `failed`: the downstream says that it did not do it; `unknown`: it may have. */
export type FetchOutcome = 'landed' | 'failed' | 'unknown';

/** Those of 400 to 499 by which the downstream does not say that nothing was done: it gave up waiting, or another attempt is under way. */
const UNCLEAR = new Set([408, 409]);
/** The request is to be repeated elsewhere: here it was not done. */
const ELSEWHERE = new Set([307, 308]);
const REDIRECTS = new Set([301, 302, 303, ...ELSEWHERE]);

/**
 * What a status says: 4xx, 307 and 308 `failed`, but 408 and 409 `unknown`; 5xx `unknown`, 503 as well, since a proxy says so
 * of a request that its upstream may have done; everything else `landed`.
 */
export function outcomeOfStatus({ status }: { readonly status: number }): FetchOutcome {
  if (status >= 500 || UNCLEAR.has(status)) return 'unknown';
  return status >= 400 || ELSEWHERE.has(status) ? 'failed' : 'landed';
}

/**
 * Makes a `fetch` that asks the gate before each request, to be given to SDKs that take one; switch their retries off.
 *
 * It answers as `fetch` does, with a response for every status. The call stays in flight until the body has arrived to its end,
 * has broken off, or was cancelled: a stop in the middle errors the body with the `HaltedError`. A write carries its
 * idempotency key as the header `idempotency-key`. The caller's own signal works as ever.
 *
 * Its promise rejects as that of `Gate.run` and of `fetch`; with a KilldrillError `FETCH_URL` for a URL that is not http or
 * https, and `FETCH_REDIRECTED` for a redirect that was not followed.
 */
export function wrapFetch(sender: Sender, options: WrapFetchOptions): Fetch {
  return async (input, init) => {
    const asked = readRequest(input, init);
    const effect = effectFor(asked.request, options);
    return new Promise<Response>((resolve, reject) => {
      runJoined(sender, effect, {
        caller: asked.signal,
        call: (sending) => exchange({ asked, effect, options, sending }, { resolve, reject }),
      }).catch(reject); // once there is a response, its body says it
    });
  };
}

function effectFor(request: FetchRequest, { deadlineMs, effectOf, newKey }: WrapFetchOptions): Effect {
  const told = effectOf?.(request) ?? {};
  const access = told.access ?? (request.method === 'GET' || request.method === 'HEAD' ? 'read' : 'write');
  return {
    deadlineMs,
    ...told,
    access,
    capability: told.capability ?? `${access}/http/${hostOf(request.url)}`,
    idempotencyKey:
      told.idempotencyKey ?? request.headers.get('idempotency-key') ?? (newKey ?? (() => crypto.randomUUID()))(),
  };
}

/** A host has one name: with a dot at its end it is the same. */
function hostOf({ hostname, port }: URL): string {
  return `${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`;
}

interface Exchange {
  readonly asked: AskedRequest;
  readonly effect: Effect;
  readonly options: WrapFetchOptions;
  readonly sending: JoinedSending;
}

/** Who asked is answered as soon as there is a response, the gate at its end. */
interface Asker {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: Error) => void;
}

/** One request to the end of its answer; what it throws is what the journal is told. */
async function exchange({ asked, effect, options, sending }: Exchange, asker: Asker): Promise<void> {
  const { joined, signal } = sending;
  let outcome: FetchOutcome;
  let status: number;
  let ended: Promise<void>;
  try {
    const came = await (options.fetch ?? globalThis.fetch)(asked.input, initOf(asked, effect, options, signal));
    ({ status } = came);
    outcome = (options.outcomeOf ?? outcomeOfStatus)(came);
    if (isRefused(came, asked, options)) {
      asker.reject(redirected(came, asked.request));
      throw outcome === 'failed' ? failed(status) : unclear(status);
    }
    const tracked = trackBody(came, signal);
    ended = tracked.ended;
    asker.resolve(tracked.response);
  } catch (error) {
    joined.abort(error); // an answer that nobody gets must not hold its connection
    throw error;
  }
  // What the downstream has said stands, however the rest of its answer ends.
  if (outcome === 'failed') await ended.catch(() => undefined);
  else await ended;
  if (outcome === 'failed') throw failed(status);
  if (outcome === 'unknown') throw unclear(status);
}

function failed(status: number): EffectFailedError {
  return new EffectFailedError(`it was answered with status ${status}`);
}

function unclear(status: number): KilldrillError {
  return new KilldrillError('FETCH_UNCLEAR', `it was answered with status ${status}`);
}

function initOf(
  { init, request, redirect }: AskedRequest,
  { access, idempotencyKey }: Effect,
  { redirects }: WrapFetchOptions,
  signal: AbortSignal,
): RequestInit {
  const isJudged = redirect !== 'follow' || redirects === 'follow';
  const upload = init?.body instanceof ReadableStream ? { body: endedBy(signal, init.body) } : {};
  const sent = { ...init, ...upload, signal, ...(isJudged ? {} : { redirect: 'manual' as const }) };
  if (access === 'read' || request.headers.get('idempotency-key') === idempotencyKey) return sent;
  const headers = new Headers(request.headers);
  headers.set('idempotency-key', idempotencyKey);
  return { ...sent, headers };
}

function isRefused(
  { status, headers }: Response,
  { redirect }: AskedRequest,
  { redirects }: WrapFetchOptions,
): boolean {
  return redirect === 'follow' && redirects !== 'follow' && REDIRECTS.has(status) && headers.has('location');
}

function redirected({ status, headers }: Response, { method, url }: FetchRequest): KilldrillError {
  const location = headers.get('location') ?? '';
  const to = URL.canParse(location, url.href) ? new URL(location, url) : null;
  return new KilldrillError(
    'FETCH_REDIRECTED',
    `${method} ${url.origin}${url.pathname} was answered with status ${status} and a redirect to ${to === null ? 'nowhere' : to.origin + to.pathname}; ` +
      `only ${url.host} was judged: request that address itself, take the answer with redirect: 'manual', or wrap with redirects: 'follow'`,
  );
}
