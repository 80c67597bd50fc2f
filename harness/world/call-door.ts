import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ChannelId } from '../history/event.ts';
import type { HistorySink, Interval } from '../history/write.ts';
import { SPAWN_CAPABILITY } from '../traffic/trace.ts';
import type { TraceRun } from '../traffic/trace.ts';
import { childAnswer, plainAnswer, streamedAnswer } from './answers.ts';
import type { Answer, Call, ChannelTally, EffectRequest } from './call.ts';
import type { ChannelLimits } from './channel-limits.ts';
import type { Connection } from './connection.ts';
import type { Downstream } from './downstream.ts';
import { OPERATOR } from '../history/operator.ts';
import type { EffectRoute, Refusal, SpawnRoute } from './route.ts';
import type { RunBook, RunPage, TakenStep } from './run-book.ts';
import type { WorkQueue } from './work-queue.ts';

/** A request and the response to it. */
export interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface CallDoorOptions {
  readonly channel: ChannelId;
  readonly worker: string;
  readonly tally: ChannelTally;
  readonly history: HistorySink;
  readonly book: RunBook;
  readonly queue: WorkQueue;
  readonly downstream: Downstream;
  readonly limits: ChannelLimits;
  /** Answers a request with a 4xx and records it. */
  readonly refuse: (incoming: Incoming, refusal: Refusal, at: Interval) => void;
}

/**
 * `POST {world}/effects/{capability}` and `POST {world}/runs`: takes the effects of one channel's worker to the downstream.
 * Starting a child is an effect like another.
 */
export class CallDoor {
  readonly #options: CallDoorOptions;

  constructor(options: CallDoorOptions) {
    this.#options = options;
  }

  /** Takes one effect whose headers came in during `at`. */
  take(connection: Connection, incoming: Incoming, route: EffectRoute | SpawnRoute, at: Interval): void {
    const { book, refuse } = this.#options;
    const page = book.find(route.run);
    const refusal =
      page === undefined ? refused(404, book.whyUnknown(route.run)) : this.#beyondLimits(incoming.request);
    if (refusal !== null) refuse(incoming, refusal, at);
    else if (page !== undefined) this.#arrive(connection, incoming, this.#effect(incoming.response, route, page), at);
  }

  #beyondLimits({ headers }: IncomingMessage): Refusal | null {
    const { limits, tally } = this.#options;
    if (Number(headers['content-length'] ?? 0) > limits.bodyBytes) return tooLarge(limits);
    if (tally.open < limits.openCalls) return null;
    return refused(429, `more than ${limits.openCalls} open calls`);
  }

  #effect(response: ServerResponse, route: EffectRoute | SpawnRoute, page: RunPage): EffectRequest {
    const { channel, worker, tally } = this.#options;
    const { key } = route;
    const from = { channel, worker, tally, page, key };
    if (route.kind === 'spawn') return { ...from, capability: SPAWN_CAPABILITY, ...this.#spawn(response, page, key) };
    const { capability } = route;
    const taken = worker === OPERATOR ? page.takeApart(capability, key) : page.take(capability, key);
    const answer = taken.key.streams ? streamedAnswer(response) : plainAnswer(response);
    return { ...from, capability, taken, refusal: tryAgain(taken), answer, onLanded: () => {} };
  }

  #spawn(
    response: ServerResponse,
    page: RunPage,
    key: string,
  ): Pick<EffectRequest, 'taken' | 'refusal' | 'answer' | 'onLanded'> {
    const { book } = this.#options;
    const taken = page.take(SPAWN_CAPABILITY, key);
    const { step } = taken.key;
    const child = book.plannedChild(page, step);
    const attached = step !== null && page.run.plan[step]?.attached === true;
    return {
      taken,
      refusal: child === null ? refused(409, `run ${page.run.run} plans no further child`) : tryAgain(taken),
      answer: childAnswer(response, child, attached),
      onLanded: (effect) => {
        if (child !== null && step !== null) this.#started(page, step, child, effect);
      },
    };
  }

  #started(page: RunPage, step: number, child: TraceRun, effect: number): void {
    const { book, history, channel, worker } = this.#options;
    book.started(child);
    history.append({ type: 'run.spawned', run: child.run, parent: page.run.run, step, effect, channel, worker });
  }

  #arrive(connection: Connection, incoming: Incoming, request: EffectRequest, at: Interval): void {
    const { queue, downstream } = this.#options;
    const call: Call = downstream.arrive(
      { ...request, answer: forgetting(request.answer, () => connection.calls.delete(call)) },
      at,
    );
    queue.arrived(request.page.run.run);
    connection.calls.add(call);
    this.#readBody(connection, incoming, call, at);
    downstream.serve(call);
  }

  #readBody(connection: Connection, incoming: Incoming, call: Call, at: Interval): void {
    const { limits, downstream, refuse } = this.#options;
    let bytes = 0;
    let isRefused = false;
    incoming.request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limits.bodyBytes || isRefused) return;
      isRefused = true;
      downstream.refuse(call);
      connection.calls.delete(call);
      refuse(incoming, tooLarge(limits), at);
    });
    incoming.request.on('end', () => {
      if (!isRefused) downstream.bodyIn(call);
    });
  }
}

/** The answer, with the call forgotten by its connection before it is given. */
function forgetting(answer: Answer, forget: () => void): Answer {
  return {
    ...answer,
    landed: () => {
      forget();
      answer.landed();
    },
    refused: (refusal) => {
      forget();
      answer.refused(refusal);
    },
  };
}

/** The downstream refuses the first attempts of some steps. Each arrival of the key is one. */
function tryAgain({ key }: TakenStep): Refusal | null {
  if (key.refusalsLeft === 0) return null;
  key.refusalsLeft -= 1;
  return refused(503, 'the downstream is overloaded; try again later');
}

function refused(status: number, why: string): Refusal {
  return { kind: 'refused', status, why };
}

function tooLarge(limits: ChannelLimits): Refusal {
  return refused(413, `a body of more than ${limits.bodyBytes} bytes`);
}
