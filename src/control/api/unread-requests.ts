import type { Socket } from 'node:net';
import { problemOf, RequestError } from './problem.ts';
import type { RequestCode } from './problem.ts';

/** Largest body that is read. */
export const MAX_BODY_BYTES = 65_536;

/** What Node's HTTP parser finds fault with, before there is a request. */
const UNREAD: Readonly<Record<string, readonly [code: RequestCode, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'the headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'the request did not come in whole in time'],
};

/** What fastify finds fault with, in the API's own words; nothing of the request is repeated. */
export function asRequestError(thrown: unknown): unknown {
  const code = codeOf(thrown);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new RequestError('BODY_TOO_LARGE', `the body has more than ${MAX_BODY_BYTES} bytes`, 'body');
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new RequestError('MEDIA_TYPE', 'the body is not application/json', 'header.content-type');
  }
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return new RequestError('REQUEST_INVALID', 'the path cannot be read, or is longer than any that there is', 'path');
  }
  // While the body came in: whoever asked is gone, and nothing is wrong here.
  if (code === 'ECONNRESET') return new RequestError('REQUEST_INVALID', 'the request broke off before its end', 'body');
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : null;
  const isTheirs = code !== null && code.startsWith('FST_') && typeof status === 'number' && status < 500;
  return isTheirs ? new RequestError('REQUEST_INVALID', 'the request cannot be read as HTTP with a JSON body') : thrown;
}

/** Answers what is not even a request with a problem document too, and ends the connection. */
export function refuseUnread(error: Error, socket: Socket, headers: Readonly<Record<string, string>>): void {
  const code = codeOf(error) ?? '';
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [name, message] = UNREAD[code] ?? ['REQUEST_INVALID', 'the request cannot be read as HTTP'];
  const problem = problemOf(new RequestError(name, message));
  const body = JSON.stringify(problem);
  const lines = Object.entries({
    ...headers,
    ...{ 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(body), connection: 'close' },
  });
  const head = lines.map(([header, value]) => `${header}: ${value}\r\n`).join('');
  socket.write(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${head}\r\n${body}`);
  socket.destroySoon();
}

function codeOf(thrown: unknown): string | null {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : null;
}
