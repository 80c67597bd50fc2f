import type { z } from 'zod';
import type { ApiKey } from './api-keys.ts';
import { parsePart } from './problem.ts';

/** Who may ask: anybody, whoever may read (anybody, unless there are keys for it), or who has a key of that kind. */
export type Right = 'public' | 'read' | 'stop' | 'release';

/** What a request brings, besides what its schemas read. */
export interface Asked {
  readonly key: ApiKey | null;
  /** The part of the path that varies; empty for none. */
  readonly id: string;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** Default `application/json`. */
  readonly type?: string;
}

/** One route: what serves it, and what its documentation is made from. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** With `:id` where it varies. */
  readonly path: string;
  readonly summary: string;
  readonly right: Right;
  readonly query: z.ZodType | null;
  /** Null: takes no body. Several: the first key that is there decides. */
  readonly body: z.ZodType | null;
  readonly answers: readonly RouteAnswer[];
  readonly serve: (raw: RawRequest, asked: Asked) => Promise<Reply>;
}

export interface RouteAnswer {
  readonly status: number;
  readonly means: string;
  /** Null: no JSON. */
  readonly schema: z.ZodType | null;
}

/** A request's parts before anybody has read them. */
export interface RawRequest {
  readonly query: unknown;
  readonly body: unknown;
}

type Words = Pick<Route, 'path' | 'summary' | 'right' | 'answers'>;

/** A route that is read. */
export function getRoute<Q extends z.ZodType>(
  words: Words & { readonly query: Q },
  serve: (query: z.output<Q>, asked: Asked) => Promise<Reply> | Reply,
): Route {
  return {
    ...{ ...words, method: 'GET', body: null },
    serve: async (raw, asked) => serve(parsePart('query', words.query, raw.query), asked),
  };
}

/** A route that changes something. `readerOf` chooses how a body is read where `body` has several forms. */
export function postRoute<B extends z.ZodType>(
  words: Words & { readonly body: B; readonly readerOf?: (body: unknown) => z.ZodType<z.output<B>> },
  serve: (body: z.output<B>, asked: Asked) => Promise<Reply>,
): Route {
  const { readerOf = () => words.body, ...rest } = words;
  return {
    ...{ ...rest, method: 'POST', query: null },
    serve: async (raw, asked) => serve(parsePart('body', readerOf(raw.body), raw.body), asked),
  };
}
