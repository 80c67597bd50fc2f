import type { ServerResponse } from 'node:http';
import type { TraceRun } from '../traffic/trace.ts';
import type { Answer } from './call.ts';
import { handedRun } from './handed-run.ts';
import { reply } from './reply.ts';
import type { Refusal } from './route.ts';

const nothing = (): void => {};

/** The answer to an ordinary call. */
export function plainAnswer(response: ServerResponse): Answer {
  return {
    begin: nothing,
    piece: nothing,
    landed: () => reply(response, 200, { landed: true }),
    refused: (refusal) => refuse(response, refusal),
  };
}

/** An answer in pieces, a line each: its head goes out as the service begins, its last line once the effect has landed. */
export function streamedAnswer(response: ServerResponse): Answer {
  let pieces = 0;
  const piece = (): void => {
    pieces += 1;
    response.write(`{"piece":${pieces}}\n`);
  };
  const begin = (): void => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    piece();
  };
  return {
    begin,
    piece,
    landed: () => {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end('{"landed":true}\n');
    },
    refused: (refusal) => refuse(response, refusal),
  };
}

/** The answer to who asks for a child. */
export function childAnswer(response: ServerResponse, child: TraceRun | null, attached: boolean): Answer {
  return {
    begin: nothing,
    piece: nothing,
    landed: () =>
      reply(response, 201, child === null ? null : { ...handedRun(child), attached, lineage: child.lineage ?? [] }),
    refused: (refusal) => refuse(response, refusal),
  };
}

function refuse(response: ServerResponse, { status, why }: Refusal): void {
  reply(response, status, { error: why });
}
