import { z } from 'zod';
import { KilldrillError, messageOf } from '../errors.ts';
import { parseFlip } from '../flip-text.ts';
import type { HaltPath, PathTook } from './halt-paths.ts';

/** Largest answer that is read, bytes. */
const MAX_ANSWER_BYTES = 65_536;

const durableSchema = z.object({ id: z.string(), durable: z.literal(true), revision: z.number().int().positive() });
const provisionalSchema = z.object({
  id: z.string(),
  durable: z.literal(false),
  why: z.string(),
  reached: z.array(z.string()),
  keptAt: z.string().nullable(),
});
const problemSchema = z.object({ detail: z.string(), field: z.string().optional() });

export interface ControlApi {
  readonly name: string;
  /** Of `killdrill serve`, such as `https://killdrill.internal:8443`. */
  readonly url: string;
  /** The right to stop. */
  readonly stopKey: string;
}

/**
 * The path over the control plane's HTTP interface. What it takes while the store is away is enforced by the API's own
 * process, which stays and sends it until it is stored.
 *
 * @throws KilldrillError `PATH_UNUSABLE` for a URL that is none, or a key that no header can carry.
 */
export function haltByApi({ name, url, stopKey }: ControlApi): HaltPath {
  const endpoint = endpointOf(url);
  if (!/^[\x21-\x7e]+$/.test(stopKey)) {
    throw new KilldrillError('PATH_UNUSABLE', 'the stop key holds characters that no HTTP header can carry; check it');
  }
  const headers = { 'content-type': 'application/json', 'x-api-key': stopKey };
  return {
    name,
    take: async (text, signature, signal) => {
      const body = JSON.stringify({ text, signature });
      let response: Response;
      try {
        // A redirect would take the key to somebody else.
        response = await fetch(endpoint, { method: 'POST', headers, body, signal, redirect: 'error' });
      } catch (thrown) {
        throw new KilldrillError('CONTROL_UNREACHABLE', `no answer from ${endpoint} (${causeOf(thrown)})`, {
          cause: thrown,
        });
      }
      return tookBy({ status: response.status, answer: await readText(response), id: parseFlip(text).id, endpoint });
    },
  };
}

function endpointOf(url: string): string {
  const read = URL.canParse(url) ? new URL(url) : null;
  if (read === null || !/^https?:$/.test(read.protocol) || read.username !== '' || read.password !== '') {
    // It may hold a password: it is not repeated.
    throw new KilldrillError('PATH_UNUSABLE', 'the control URL cannot be used; expected such as https://HOST:PORT');
  }
  return `${read.origin}${read.pathname.replace(/\/$/, '')}/halt`;
}

interface Answered {
  readonly status: number;
  readonly answer: string;
  /** Of the stop that was sent. */
  readonly id: string;
  readonly endpoint: string;
}

function tookBy({ status, answer, id, endpoint }: Answered): PathTook {
  const json = jsonOf(answer);
  if (status === 200) {
    const durable = durableSchema.safeParse(json);
    if (durable.success && durable.data.id === id) return { kind: 'durable', revision: durable.data.revision };
  }
  if (status === 202) {
    const read = provisionalSchema.safeParse(json);
    if (read.success && read.data.id === id)
      return { kind: 'provisional', resident: true, says: provisionalWords(read.data) };
  }
  // Whoever answers 200 in other words is not the control plane: nothing was promised.
  if (status < 400) {
    throw new KilldrillError(
      'CONTROL_UNREADABLE',
      `${endpoint} answered ${status}, but not as killdrill serve does; is it another server?`,
    );
  }
  const problem = problemSchema.safeParse(json);
  const { detail, field } = problem.success ? problem.data : { detail: 'without a reason', field: undefined };
  const where = field === undefined ? '' : ` (${field})`;
  const isFinal = status < 500 && status !== 408 && status !== 429;
  throw new KilldrillError(
    isFinal ? 'CONTROL_REFUSED' : 'CONTROL_FAILED',
    `${endpoint} answered ${status}: ${detail}${where}`,
  );
}

function provisionalWords({ why, reached, keptAt }: z.infer<typeof provisionalSchema>): string {
  const where = reached.length === 0 ? 'its own process' : reached.join(', ');
  const kept = keptAt === null ? 'kept in memory only' : `kept at ${keptAt}`;
  return `not durable (${why}); reached: ${where}; ${kept}; it is sent again until it is stored`;
}

async function readText(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length > MAX_ANSWER_BYTES) break;
    }
  } catch (thrown) {
    throw new KilldrillError('CONTROL_UNREACHABLE', `the answer broke off (${causeOf(thrown)})`, { cause: thrown });
  }
  return text;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** fetch says `fetch failed`, and only its cause says why. */
function causeOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  return messageOf(cause) || 'the connection failed';
}
