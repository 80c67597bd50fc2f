import { getRoute } from './route.ts';
import type { Reply, Route } from './route.ts';
import { RequestError } from './problem.ts';
import { noQuery } from './schemas.ts';

/** Routes that do not answer in the API's JSON: what they are served by is the server's own. */
export interface OtherRoutes {
  readonly metrics: () => Promise<Reply>;
  readonly page: () => Promise<Reply>;
  readonly openApi: () => Reply;
}

const answers = (means: string) => [{ status: 200, means, schema: null }];
const read = { query: noQuery, right: 'read' } as const;

/** The page, the metrics, and the document of all routes. */
export function otherRoutes({ metrics, page, openApi }: OtherRoutes): readonly Route[] {
  return [
    getRoute({ ...read, path: '/metrics', summary: 'Metrics for Prometheus.', answers: answers('Text.') }, metrics),
    getRoute({ ...read, path: '/', summary: 'The page: the same for a person.', answers: answers('HTML.') }, page),
    getRoute(
      {
        ...{ ...read, right: 'public', path: '/openapi.json' },
        ...{ summary: 'The OpenAPI document of every route.', answers: answers('OpenAPI 3.1.') },
      },
      openApi,
    ),
  ];
}

/** Documented beside the others; served by itself, since it does not end. */
export const EVENTS_ROUTE: Route = {
  ...{ ...read, method: 'GET', path: '/events', body: null },
  summary:
    'Server-sent events: `switches` at first, then `stop`, `release`, `state` and `fleet` (its workers, and how far open stops have come) as they come.',
  answers: answers('text/event-stream'),
  serve: () => Promise.reject(new RequestError('NOT_FOUND', 'events are served apart')),
};
