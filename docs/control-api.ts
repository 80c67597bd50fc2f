import { z } from 'zod';
import { markdownCode as code, markdownTable as table } from '../harness/report/markdown.ts';
import { ApiMetrics } from '../src/control/api/metrics.ts';
import { EVENTS_ROUTE, otherRoutes } from '../src/control/api/documented-routes.ts';
import type { ControlApiParts } from '../src/control/api/parts.ts';
import type { Route } from '../src/control/api/route.ts';
import { routesOf } from '../src/control/api/routes.ts';
import { page } from './markdown.ts';

const RIGHTS = { public: 'nothing', read: 'a key, if reads are closed', stop: 'a stop key', release: 'a release key' };

/** Routes look at it only when they serve. */
const NOTHING = { fleet: {}, preview: {} } as ControlApiParts;

/** The routes of the control API, from those that it serves. */
export function controlApi(): string {
  const never = (): never => {
    throw new Error('nothing is served while pages are made');
  };
  const refusals = { status: never };
  const other = otherRoutes({ metrics: never, page: never, openApi: never });
  const routes = [...routesOf(NOTHING, refusals), ...other, EVENTS_ROUTE];
  return page(
    'Control API',
    'Every route of `killdrill serve` ([the guide](../guides/run-the-control-api.md)). Keys go into the header `X-API-Key`, bodies are `application/json`, and errors are problem documents (`application/problem+json`) whose `code` is stable and whose `field` names what is wrong. `GET /openapi.json` has the same for programs, answers included.',
    [
      table(
        ['route', 'takes', 'what it is', 'answers'],
        routes.map((route) => [
          code(`${route.method} ${route.path}`),
          RIGHTS[route.right],
          route.summary,
          route.answers.map(({ status, means }) => `${status}: ${means}`).join(' '),
        ]),
      ),
      ...routes.filter(({ body, query }) => keysOf(body ?? query).length > 0).map(keysPart),
      metricsPart(never),
    ].join('\n\n'),
  );
}

/** Those that are only there with a flag of `serve` too; of what is measured nothing is asked. */
function metricsPart(never: () => never): string {
  const hosted = { sinks: never, canary: never, detectors: never };
  const metrics = new ApiMetrics({ ...NOTHING, ...hosted }, never).described();
  const rows = metrics.map(({ name, type, help }) => [code(name), type, help]);
  const words =
    'What a hosted part counts is there where [`serve` hosts it](../guides/what-serve-hosts.md): `killdrill_canary_…`, `killdrill_detector…`, `killdrill_sink_behind`.';
  return `## Metrics\n\n${words}\n\n${table(['metric', 'type', 'what it is'], rows)}`;
}

interface Key {
  readonly form: string;
  readonly name: string;
  readonly takes: string;
  readonly otherwise: string;
  readonly means: string;
}

function keysPart(route: Route): string {
  const keys = keysOf(route.body ?? route.query);
  const rows = keys.map(({ form, name, takes, otherwise, means }) => [form, code(name), takes, otherwise, means]);
  return `## ${route.method} ${route.path}\n\n${table(['form', 'key', 'takes', 'default', 'means'], rows)}`;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
}

function keysOf(schema: z.ZodType | null): readonly Key[] {
  if (schema === null) return [];
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
  const forms = json.properties === undefined ? (json.anyOf ?? []) : [json];
  return forms.flatMap(({ properties = {}, required = [] }, nth) =>
    Object.entries(properties).map(([name, key]) => ({
      ...{ form: forms.length === 1 ? '' : nth === 0 ? 'words' : 'made', name, takes: takesOf(key) },
      otherwise: required.includes(name)
        ? 'required'
        : key.default === undefined
          ? ''
          : code(JSON.stringify(key.default)),
      means: key.description ?? '',
    })),
  );
}

function takesOf({ enum: values, anyOf, type }: Schema): string {
  if (values !== undefined) return values.map(code).join(', ');
  if (anyOf !== undefined) return anyOf.map(takesOf).join(' or ');
  return typeof type === 'string' ? type : 'any';
}
