import type { z } from 'zod';
import { KilldrillError } from '../../errors.ts';

/** An error as RFC 9457 has it (`application/problem+json`). */
export interface Problem {
  /** `urn:killdrill:` and the code in lower case. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable, for programs. */
  readonly code: string;
  /** Which part of the request is wrong, such as `body.target`. */
  readonly field?: string;
}

/** A request that cannot be answered as it is. */
export class RequestError extends KilldrillError {
  readonly field: string | null;

  constructor(code: RequestCode, message: string, field: string | null = null) {
    super(code, message);
    this.field = field;
  }
}

const REQUEST_STATUS = {
  REQUEST_INVALID: 400,
  KEY_MISSING: 401,
  KEY_UNKNOWN: 401,
  KEY_KIND: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  HEADERS_TOO_LARGE: 431,
  TOO_MANY_WATCHERS: 503,
  TOO_MANY_PREVIEWS: 503,
  PREVIEW_UNSEEN: 503,
  NOT_READY: 503,
} as const;
export type RequestCode = keyof typeof REQUEST_STATUS;

const STATUS: Readonly<Record<string, number>> = {
  ...REQUEST_STATUS,
  FLIP_UNREADABLE: 400,
  FLIP_NAMESPACE: 400,
  NOT_A_STOP: 400,
  STORE_VALUE: 400,
  FLIP_ID_REUSED: 409,
  ENGAGEMENT_NOT_OPEN: 409,
  RELEASE_NOT_GREEN: 409,
  RELEASE_NOT_PROVEN: 409,
  TAKER_CLOSED: 503,
  NAMESPACE_UNKNOWN: 503,
  SCHEMA_VERSION: 503,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** The problem document of anything that was thrown. What is nobody's business outside stays in the log. */
export function problemOf(thrown: unknown): Problem {
  if (!(thrown instanceof KilldrillError)) {
    return problem(500, 'INTERNAL', 'something failed that should not; the log of the process says what');
  }
  const status = STATUS[thrown.code] ?? (thrown.code.startsWith('STORE_') ? 503 : 500);
  const field = thrown instanceof RequestError ? thrown.field : fieldOfFlip(thrown);
  return { ...problem(status, thrown.code, thrown.message), ...(field === null ? {} : { field }) };
}

function problem(status: number, code: string, detail: string): Problem {
  const type = `urn:killdrill:${code.toLowerCase().replaceAll('_', '-')}`;
  return { type, title: TITLES[status] ?? 'Error', status, detail, code };
}

/** `parseFlip` names the field in its sentence. */
function fieldOfFlip({ code, message }: KilldrillError): string | null {
  if (code !== 'FLIP_UNREADABLE') return null;
  return `body.${/^a flip's (?<field>\w+) is wrong/.exec(message)?.groups?.['field'] ?? 'text'}`;
}

/**
 * Reads one part of a request.
 *
 * @throws RequestError `REQUEST_INVALID` naming the first field that is wrong.
 */
export function parsePart<S extends z.ZodType>(part: 'body' | 'query', schema: S, value: unknown): z.output<S> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [part, ...(issue?.path ?? []), ...keys].map((step) => String(step).slice(0, 80)).join('.');
  throw new RequestError('REQUEST_INVALID', `${field} is wrong: ${issue?.message ?? 'unreadable'}`, field);
}
