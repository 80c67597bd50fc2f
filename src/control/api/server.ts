import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '../../errors.ts';
import type { ApiKey } from './api-keys.ts';
import { EVENTS_ROUTE, otherRoutes } from './documented-routes.ts';
import { Door, WrongKind } from './door.ts';
import { EventHub } from './events.ts';
import { ApiMetrics } from './metrics.ts';
import { openApiOf } from './openapi.ts';
import { PAGE_HEADERS, pageOf } from './page.ts';
import type { ControlApiParts } from './parts.ts';
import { problemOf, RequestError } from './problem.ts';
import { RefusalLog } from './refusal-log.ts';
import type { Reply, Right, Route } from './route.ts';
import { routesOf } from './routes.ts';

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

const MAX_BODY_BYTES = 65_536;
/** For a request to come in whole. */
const REQUEST_MS = 10_000;
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
} as const;

/**
 * Serves the control API, over what `parts` holds; closes nothing of that.
 *
 * @throws what listening throws, such as an address in use.
 */
export async function openControlApi(parts: ControlApiParts, options: ListenOptions): Promise<ControlApi> {
  const app: FastifyInstance = fastify({
    ...{ logger: false, bodyLimit: MAX_BODY_BYTES, requestTimeout: REQUEST_MS, forceCloseConnections: 'idle' },
    ...(options.tls === null ? {} : { https: options.tls }),
  });
  const server = new ApiServer(app, parts);
  const { host = '127.0.0.1', port } = options;
  const url = await app.listen({ host, port });
  return { url, close: () => server.close() };
}

class ApiServer {
  readonly #app: FastifyInstance;
  readonly #parts: ControlApiParts;
  readonly #door: Door;
  readonly #events: EventHub;
  readonly #metrics: ApiMetrics;
  readonly #refusals: RefusalLog;

  constructor(app: FastifyInstance, parts: ControlApiParts) {
    const { clock, keys, record } = parts;
    [this.#app, this.#parts] = [app, parts];
    this.#door = new Door(keys, clock);
    this.#events = new EventHub(parts);
    this.#metrics = new ApiMetrics(parts, () => this.#events.watchers);
    this.#refusals = new RefusalLog({ store: record, clock, onError: (error) => this.#tell(error) });
    readOnlyJson(app);
    app.addHook('onSend', async (_, reply) => void reply.headers(HEADERS));
    app.addHook('onResponse', async ({ method, routeOptions }, { statusCode }) =>
      this.#metrics.request(method, routeOptions.url ?? 'none', statusCode),
    );
    app.setErrorHandler((thrown, request, reply) => this.#fail(thrown, request, reply));
    app.setNotFoundHandler((request, reply) =>
      this.#fail(new RequestError('NOT_FOUND', 'there is no such route; GET /openapi.json lists them'), request, reply),
    );
    for (const route of this.#routes()) this.#add(route);
    this.#addEvents();
  }

  async close(): Promise<void> {
    this.#events.close();
    await this.#app.close();
    await this.#refusals.close();
  }

  #routes(): readonly Route[] {
    const routes = [
      ...routesOf(this.#parts, this.#refusals),
      ...otherRoutes({
        metrics: async () => ({ status: 200, ...(await this.#metrics.exposition()) }),
        page: () => ({ status: 200, type: 'text/html; charset=utf-8', body: pageOf(this.#parts) }),
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
    this.#app.get(EVENTS_ROUTE.path, (request, reply) => {
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
    if (problem.status >= 500) this.#tell(thrown);
    if (thrown instanceof WrongKind) {
      const what = `${request.method} ${request.routeOptions.url ?? ''} from ${request.ip}`;
      const { code, message } = thrown;
      this.#refusals.add({ by: thrown.key.name, request: what, code, message });
    }
    // A browser asks its user then; only reads take the answer.
    if (problem.status === 401) void reply.header('www-authenticate', 'Basic realm="killdrill", charset="UTF-8"');
    return send(reply, { status: problem.status, type: 'application/problem+json', body: problem });
  }

  #tell(thrown: unknown): void {
    try {
      this.#parts.onError?.(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
    } catch {
      // A log that fails must not fail a request.
    }
  }
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

/** What fastify finds fault with, in the API's own words. */
function asRequestError(thrown: unknown): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : null;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new RequestError('BODY_TOO_LARGE', `the body has more than ${MAX_BODY_BYTES} bytes`, 'body');
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new RequestError('MEDIA_TYPE', 'the body is not application/json', 'header.content-type');
  }
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : null;
  const isTheirs = typeof code === 'string' && code.startsWith('FST_') && typeof status === 'number' && status < 500;
  return isTheirs ? new RequestError('REQUEST_INVALID', 'the request cannot be read as HTTP with a JSON body') : thrown;
}

function send(reply: FastifyReply, { status, body, type = 'application/json' }: Reply): FastifyReply {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (type.startsWith('text/html')) void reply.headers(PAGE_HEADERS);
  return reply.status(status).type(type).send(Buffer.from(text, 'utf8')); // as bytes: fastify adds a charset to texts
}
