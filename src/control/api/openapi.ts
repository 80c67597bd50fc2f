import { z } from 'zod';
import type { Route } from './route.ts';
import { problemAnswer } from './schemas.ts';

const KEYED = { stop: 'stopKey', release: 'releaseKey', read: 'readKey' } as const;

/** The OpenAPI document of these routes, from the schemas that read their requests. */
export function openApiOf(routes: readonly Route[], version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(':id', '{id}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  const scheme = (description: string) => ({ type: 'apiKey', in: 'header', name: 'X-API-Key', description });
  return {
    openapi: '3.1.0',
    info: { title: 'killdrill control API', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemAnswer, 'output') },
      securitySchemes: {
        stopKey: scheme('A key of kind stop.'),
        releaseKey: scheme('A key of kind release.'),
        readKey: scheme('Any key; needed only where there are keys of kind read.'),
      },
    },
  };
}

function operationOf({ summary, right, query, body, answers, path }: Route): unknown {
  const responses = Object.fromEntries(
    answers.map(({ status, means, schema }) => [
      String(status),
      { description: means, ...(schema === null ? {} : content('application/json', jsonSchema(schema, 'output'))) },
    ]),
  );
  const problem = content('application/problem+json', { $ref: '#/components/schemas/Problem' });
  const optional = right === 'read' ? [{}] : [];
  return {
    summary,
    ...(right === 'public' ? {} : { security: [...optional, { [KEYED[right]]: [] }] }),
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body === null
      ? {}
      : { requestBody: { required: true, ...content('application/json', jsonSchema(body, 'input')) } }),
    responses: { ...responses, default: { description: 'A problem document.', ...problem } },
  };
}

function content(type: string, schema: unknown): { readonly content: Readonly<Record<string, unknown>> } {
  return { content: { [type]: { schema } } };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function pathParameters(path: string): readonly unknown[] {
  return path.includes(':id') ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] : [];
}

function queryParameters(query: z.ZodType | null): readonly unknown[] {
  const { properties = {} }: { readonly properties?: unknown } = query === null ? {} : jsonSchema(query, 'input');
  return Object.entries<unknown>(properties as Record<string, unknown>).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema,
  }));
}
