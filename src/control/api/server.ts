import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { KilldrillError, messageOf } from '../../errors.ts';
import type { ApiKey } from './api-keys.ts';
import { EVENTS_ROUTE, otherRoutes } from './documented-routes.ts';
import { Door, WrongKind } from './door.ts';
import { MAX_BODY_BYTES, asRequestError, refuseUnread } from './unread-requests.ts';
import { EventHub } from './events.ts';
import { FleetPictures } from './fleet-picture.ts';
import { ApiMetrics } from './metrics.ts';
import { openApiOf } from './openapi.ts';
import { PAGE_HEADERS, pageOf } from './page.ts';
import type { ControlApiParts } from './parts.ts';
import { problemOf, RequestError } from './problem.ts';
import type { Problem } from './problem.ts';
import { RefusalLog } from './refusal-log.ts';
import type { Reply, Right, Route } from './route.ts';
import { routesOf } from './routes.ts';
import { reportTo } from '../../report-to.ts';

/** Where it listens. */
export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** PEM texts; null for plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

export interface ControlApi {
  /** Where it answers, such as `http://127.0.0.1:8710`. */
  readonly url: string;
  /** Answers what has come in, and nothing more. */
  close(): Promise<void>;
}

/**
 * For a request to come in whole. Node takes the larger of its two bounds for the body, whichever it is called, and looks
 * only every half minute unless it is told to.
 */
const REQUEST_MS = 10_000;
const BOUNDS = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: 1_000 } as const;
/** For what has come in to be answered when the server ends; who is not through by then is cut off. */
const LAST_ANSWERS_MS = 2_000;
/** An id has at most 300 characters, each of at most nine when it is escaped. */
const MAX_ID = 2_700;
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
} as const;

/**
 * Serves the control API, over what `parts` holds; closes nothing of that.
 *
 * @throws KilldrillError `TLS_INVALID`; `API_NOT_LISTENING`, such as for an address in use.
 */
export async function openControlApi(parts: ControlApiParts, options: ListenOptions): Promise<ControlApi> {
  const app = newApp(options.tls);
  const server = new ApiServer(app, parts);
  const { host = '127.0.0.1', port } = options;
  try {
    const url = await app.listen({ host, port });
    return { url, close: () => server.close() };
  } catch (cause) {
    await server.close();
    const message = `the API cannot listen at ${host}, port ${port} (${messageOf(cause)}); is that an address of this machine, and free?`;
    throw new KilldrillError('API_NOT_LISTENING', message, { cause });
  }
}

function newApp(tls: ListenOptions['tls']): FastifyInstance {
  try {
    return fastify({
      ...{ logger: false, bodyLimit: MAX_BODY_BYTES, requestTimeout: REQUEST_MS, forceCloseConnections: 'idle' },
      ...{
        routerOptions: { maxParamLength: MAX_ID },
        ...(tls === null ? { http: BOUNDS } : { https: { ...tls, ...BOUNDS } }),
      },
      // What the router refuses has met no hook.
      frameworkErrors: (thrown, _, reply) => void refuse(reply.headers(HEADERS), problemOf(asRequestError(thrown))),
      clientErrorHandler: (error, socket) => refuseUnread(error, socket, HEADERS),
    });
  } catch (cause) {
    const message = `certificate and key cannot be used for TLS (${messageOf(cause)}); expected PEM, and that they belong together`;
    throw new KilldrillError('TLS_INVALID', message, { cause });
  }
}

class ApiServer {
  readonly #app: FastifyInstance;
  readonly #parts: ControlApiParts;
  readonly #door: Door;
  readonly #events: EventHub;
  readonly #metrics: ApiMetrics;
  readonly #refusals: RefusalLog;
  readonly #pictures: FleetPictures;
  readonly #tell: (error: unknown) => void;

  constructor(app: FastifyInstance, parts: ControlApiParts) {
    const { clock, keys, record } = parts;
    [this.#app, this.#parts] = [app, parts];
    this.#tell = reportTo(parts.onError);
    this.#door = new Door(keys, clock);
    this.#pictures = new FleetPictures(parts);
    this.#events = new EventHub(parts, this.#pictures);
    this.#metrics = new ApiMetrics(parts, () => this.#events.watchers);
    this.#refusals = new RefusalLog({ store: record, clock, onError: (error) => this.#tell(error) });
    readOnlyJson(app);
    app.addHook('onSend', async (_, reply) => void reply.headers(HEADERS));
    app.addHook('onResponse', async ({ method, routeOptions }, { statusCode }) =>
      this.#metrics.request(method, routeOptions.url ?? 'none', statusCode),
    );
    app.setErrorHandler((thrown, request, reply) => this.#fail(thrown, request, reply));
    const routes = this.#routes();
    app.setNotFoundHandler((request, reply) => {
      const allowed = methodsAt(request.url, [...routes, EVENTS_ROUTE]);
      if (allowed.length > 0) void reply.header('allow', allowed.join(', '));
      this.#fail(noSuchRoute(allowed), request, reply);
    });
    for (const route of routes) this.#add(route);
    this.#addEvents();
  }

  async close(): Promise<void> {
    this.#events.close();
    const cutOff = this.#parts.clock.after(LAST_ANSWERS_MS, () => this.#app.server.closeAllConnections());
    await this.#app.close();
    cutOff();
    await this.#refusals.close();
  }

  #routes(): readonly Route[] {
    const routes = [
      ...routesOf(this.#parts, this.#refusals),
      ...otherRoutes({
        metrics: async () => ({ status: 200, ...(await this.#metrics.exposition()) }),
        page: async () => ({
          ...{ status: 200, type: 'text/html; charset=utf-8' },
          body: pageOf(this.#parts, await this.#pictures.latest()),
        }),
        openApi: () => ({ status: 200, body: document }),
      }),
    ];
    const document = openApiOf([...routes, EVENTS_ROUTE], this.#parts.version);
    return routes;
  }

  #add(route: Route): void {
    this.#app.route({
      method: route.method,
      url: route.path,
      // Before the body is read: who may not ask is not listened to.
      onRequest: async (request) => void keyOf.set(request, this.#admit(route.right, request)),
      handler: async (request, reply) => {
        const begin = this.#parts.clock.monotonicMs();
        const { id = '' } = request.params as { readonly id?: string };
        const answer = await route.serve(request, { key: keyOf.get(request) ?? null, id });
        if (route.path === '/halt') this.#timed(answer, begin);
        return send(reply, answer);
      },
    });
  }

  #addEvents(): void {
    // No HEAD: it would be a watcher that is never told anything.
    this.#app.get(EVENTS_ROUTE.path, { exposeHeadRoute: false }, (request, reply) => {
      this.#admit(EVENTS_ROUTE.right, request);
      this.#events.admit();
      reply.hijack();
      this.#events.add(reply.raw, HEADERS);
    });
  }

  #admit(right: Right, request: FastifyRequest): ApiKey | null {
    return this.#door.admit(right, { address: request.ip, presented: presentedBy(request, right) });
  }

  #timed({ status }: Reply, begin: number): void {
    const seconds = (this.#parts.clock.monotonicMs() - begin) / 1_000;
    this.#metrics.stop(status === 200 ? 'durable' : 'provisional', seconds);
  }

  #fail(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const problem = problemOf(asRequestError(thrown));
    this.#metrics.refusal(problem.code);
    // What the API itself says no to, such as a probe while the store is away, is no news for a log.
    if (problem.status >= 500 && !(thrown instanceof RequestError)) this.#tell(thrown);
    if (thrown instanceof WrongKind) {
      const what = `${request.method} ${request.routeOptions.url ?? ''} from ${request.ip}`;
      const { code, message } = thrown;
      this.#refusals.add({ by: thrown.key.name, request: what, code, message });
    }
    // A browser asks its user then; only reads take the answer.
    if (problem.status === 401) void reply.header('www-authenticate', 'Basic realm="killdrill", charset="UTF-8"');
    return refuse(reply, problem);
  }
}

/** What could be asked at this address instead. */
function methodsAt(url: string, routes: readonly Route[]): readonly string[] {
  const [path = ''] = url.split('?');
  return routes
    .filter((route) => route.path.replace(':id', path.split('/')[2] || ':id') === path)
    .map(({ method }) => method);
}

function noSuchRoute(allowed: readonly string[]): RequestError {
  const which = 'GET /openapi.json lists them';
  if (allowed.length === 0) return new RequestError('NOT_FOUND', `there is no such route; ${which}`);
  return new RequestError('METHOD_NOT_ALLOWED', `this address takes ${allowed.join(', ')} only; ${which}`);
}

const keyOf = new WeakMap<FastifyRequest, ApiKey | null>();

/** Bodies are JSON, and nothing of what they hold is ever repeated in an error. */
function readOnlyJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => {
    try {
      done(null, JSON.parse(String(text)));
    } catch {
      done(new RequestError('REQUEST_INVALID', 'the body is not JSON', 'body'));
    }
  });
}

/** The key in `X-API-Key`; for reads also the password of basic authentication, which is what a browser can send. */
function presentedBy({ headers }: FastifyRequest, right: Right): string | null {
  const header = headers['x-api-key'];
  if (typeof header === 'string' && header !== '') return header;
  const basic = right === 'read' ? /^basic (?<pair>[\w+/=-]+)$/i.exec(headers.authorization ?? '') : null;
  const pair = Buffer.from(basic?.groups?.['pair'] ?? '', 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? null : pair.slice(colon + 1);
}

function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  return send(reply, { status: problem.status, type: 'application/problem+json', body: problem });
}

function send(reply: FastifyReply, { status, body, type = 'application/json' }: Reply): FastifyReply {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (type.startsWith('text/html')) void reply.headers(PAGE_HEADERS);
  return reply.status(status).type(type).send(Buffer.from(text, 'utf8')); // as bytes: fastify adds a charset to texts
}
