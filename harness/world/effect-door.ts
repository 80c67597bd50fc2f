import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ChannelId } from '../history/event.ts';
import type { Interval } from '../history/write.ts';
import type { ChannelLimits } from './channel-limits.ts';
import type { Connection } from './connection.ts';
import type { Call, ChannelTally, Downstream } from './downstream.ts';
import { reply } from './reply.ts';
import type { EffectRoute, Refusal } from './route.ts';
import type { RunBook, RunPage } from './run-book.ts';
import type { WorkQueue } from './work-queue.ts';

/** A request and the response to it. */
export interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface EffectDoorOptions {
  readonly channel: ChannelId;
  readonly worker: string;
  readonly tally: ChannelTally;
  readonly book: RunBook;
  readonly queue: WorkQueue;
  readonly downstream: Downstream;
  readonly limits: ChannelLimits;
  /** Answers a request with a 4xx and records it. */
  readonly refuse: (incoming: Incoming, refusal: Refusal, at: Interval) => void;
}

/** `POST {world}/effects/{capability}`: takes the effects of one channel's worker to the downstream. */
export class EffectDoor {
  readonly #options: EffectDoorOptions;

  constructor(options: EffectDoorOptions) {
    this.#options = options;
  }

  /** Takes one effect whose headers came in during `at`. */
  take(connection: Connection, incoming: Incoming, route: EffectRoute, at: Interval): void {
    const { book, refuse } = this.#options;
    const page = book.find(route.run);
    const refusal = page === undefined ? unknownRun(route.run) : this.#beyondLimits(incoming.request);
    if (refusal !== null) refuse(incoming, refusal, at);
    else if (page !== undefined) this.#arrive(connection, incoming, route, page, at);
  }

  #beyondLimits({ headers }: IncomingMessage): Refusal | null {
    const { limits, tally } = this.#options;
    if (Number(headers['content-length'] ?? 0) > limits.bodyBytes) return tooLarge(limits);
    if (tally.open < limits.openCalls) return null;
    return { kind: 'refused', status: 429, why: `more than ${limits.openCalls} open calls` };
  }

  #arrive(connection: Connection, incoming: Incoming, route: EffectRoute, page: RunPage, at: Interval): void {
    const { channel, worker, tally, queue, downstream } = this.#options;
    const { capability, key } = route;
    const answer = (): void => {
      connection.calls.delete(call);
      reply(incoming.response, 200, { landed: true });
    };
    const call = downstream.arrive({ channel, worker, tally, page, capability, key, answer }, at);
    queue.arrived(route.run);
    connection.calls.add(call);
    this.#readBody(connection, incoming, call, at);
    downstream.serve(call);
  }

  #readBody(connection: Connection, incoming: Incoming, call: Call, at: Interval): void {
    const { limits, downstream, refuse } = this.#options;
    let bytes = 0;
    let refused = false;
    incoming.request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limits.bodyBytes || refused) return;
      refused = true;
      downstream.refuse(call);
      connection.calls.delete(call);
      refuse(incoming, tooLarge(limits), at);
    });
    incoming.request.on('end', () => {
      if (!refused) downstream.bodyIn(call);
    });
  }
}

function unknownRun(run: string): Refusal {
  return { kind: 'refused', status: 404, why: `run ${run} is not in the trace` };
}

function tooLarge(limits: ChannelLimits): Refusal {
  return { kind: 'refused', status: 413, why: `a body of more than ${limits.bodyBytes} bytes` };
}
