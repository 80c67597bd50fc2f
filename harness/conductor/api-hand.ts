import { z } from 'zod';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import type { ReleaseFlip, StopFlip } from '../../src/switch.ts';
import { sleep } from '../environment/wait.ts';
import type { DrillClock } from '../history/clock.ts';
import type { Answered } from './answered.ts';

/** Where the operator reaches the drill's control API, and the keys that it shows there: one to stop, one to release. */
export interface ApiAddress {
  readonly url: string;
  readonly keys: { readonly stop: string; readonly release: string };
}

interface ApiHandParts {
  readonly address: ApiAddress;
  readonly clock: DrillClock;
  /** The release that closed these engagements, by the store's own record; null while there is none. */
  readonly closedBy: (
    engagements: readonly string[],
  ) => Promise<{ readonly id: string; readonly revision: number } | null>;
}

/** An API that is killed in between is back within less; until then the same request is sent again. */
const INSIST_MS = 20_000;
const AGAIN_MS = 50;
/** Longest wait for one answer: a stop that cannot be durable is answered well within. */
const ATTEMPT_MS = 2_000;

const durable = z.object({ id: z.string(), revision: z.int() });
const provisional = z.object({ why: z.string(), reached: z.array(z.string()), keptAt: z.string().nullable() });
const problem = z.object({ code: z.string(), detail: z.string() });

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** The operator's hand on the control API. What gets no answer is asked again, a stop under its same id and instant. */
export class ApiHand {
  readonly #parts: ApiHandParts;

  constructor(parts: ApiHandParts) {
    this.#parts = parts;
  }

  /** @throws the signal's reason */
  halt(stop: StopFlip, signal: AbortSignal): Promise<Answered> {
    const { id, scope, target, mode, queue, drainMs, reason, triggeredBy: by, at } = stop;
    const words = { id, scope, target, mode, queue, ...(drainMs === undefined ? {} : { drainMs }), reason, by, at };
    return this.#insist('halt', words, signal, (reply, sentNs) => {
      if (reply.status !== 202) return taken(reply, sentNs);
      const { why, reached, keptAt } = provisional.parse(reply.body);
      return { kind: 'provisional', why, reached, kept: keptAt !== null, sentNs };
    });
  }

  /** @throws the signal's reason */
  release({ engagements, reason, triggeredBy: by }: ReleaseFlip, signal: AbortSignal): Promise<Answered> {
    return this.#insist('release', { engagements, reason, by }, signal, async (reply, sentNs, isAgain) => {
      const answered = taken(reply, sentNs);
      // Whether the one before was taken, of which no answer came, is in the record.
      if (!isAgain || answered.kind !== 'refused' || problemOf(reply).code !== 'ENGAGEMENT_NOT_OPEN') return answered;
      const there = await this.#parts.closedBy(engagements).catch(() => null);
      return there === null ? answered : { kind: 'durable', ...there, sentNs };
    });
  }

  async #insist(
    what: 'halt' | 'release',
    body: unknown,
    signal: AbortSignal,
    read: (reply: Reply, sentNs: number, isAgain: boolean) => Answered | Promise<Answered>,
  ): Promise<Answered> {
    const { clock, address } = this.#parts;
    const untilNs = clock.nowNs() + INSIST_MS * 1e6;
    const key = what === 'halt' ? address.keys.stop : address.keys.release;
    for (let isAgain = false; ; isAgain = true) {
      const sentNs = clock.nowNs();
      let error: string;
      try {
        const reply = await post(`${address.url}/${what}`, key, body, signal);
        if (reply.status < 500) return await read(reply, sentNs, isAgain);
        error = problemOf(reply).detail;
      } catch (thrown) {
        signal.throwIfAborted();
        if (thrown instanceof KilldrillError) throw thrown;
        error = `the API gave no answer: ${messageOf(thrown)}`;
      }
      if (clock.nowNs() > untilNs) return { kind: 'refused', error, sentNs };
      await sleep(AGAIN_MS, signal);
    }
  }
}

async function post(url: string, key: string, body: unknown, signal: AbortSignal): Promise<Reply> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]),
  });
  const text = await response.text();
  return { status: response.status, body: jsonOf(text) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KilldrillError('API_ANSWER', `the API answered with what is no JSON: ${text.slice(0, 200)}`);
  }
}

function taken(reply: Reply, sentNs: number): Answered {
  if (reply.status !== 200) return { kind: 'refused', error: problemOf(reply).detail, sentNs };
  const read = durable.safeParse(reply.body);
  if (read.success) return { kind: 'durable', ...read.data, sentNs };
  throw new KilldrillError(
    'API_ANSWER',
    `the API answered 200 without an id and a revision: ${messageOf(read.error)}; expected {id, revision}`,
  );
}

function problemOf({ status, body }: Reply): z.output<typeof problem> {
  const read = problem.safeParse(body);
  return read.success
    ? read.data
    : { code: 'UNKNOWN', detail: `the API answered ${status} without a problem document` };
}
