import { KilldrillError } from './errors.ts';
import { whenAborted } from './joined-signal.ts';

/** How much of a body is fetched before anybody reads it, bytes: a short answer that nobody reads ends all the same. */
const AHEAD_BYTES = 65_536;
/** What a Response can be made with (Fetch, 6.4 Response class). */
const LAST_STATUS = 599;
const LATIN1 = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** A response whose end can be awaited. */
export interface TrackedResponse {
  /** To be handed out in the place of the one that came. */
  readonly response: Response;
  /** Resolves when the body has arrived to its end; rejects when it broke off, was aborted, or was cancelled by its reader. */
  readonly ended: Promise<void>;
}

/**
 * Follows a response's body to its end, and errors it with the signal's reason as soon as that fires, whatever is still
 * buffered. What is read is pulled: beyond 64 KiB nothing is fetched that nobody reads.
 */
export function trackBody(response: Response, signal: AbortSignal): TrackedResponse {
  const { body } = response;
  if (body === null) return { response, ended: Promise.resolve() };
  const { stream, ended } = track(body as ReadableStream<Uint8Array>, signal);
  return { response: inPlaceOf(response, stream), ended };
}

/** Its copy with another body. A server may send what the constructor takes from nobody: a status of 600 or more, a phrase beyond Latin-1. */
function inPlaceOf(response: Response, stream: ReadableStream<Uint8Array>): Response {
  const { status, statusText, ok, headers, url, redirected, type } = response;
  const isOrdinary = status <= LAST_STATUS && LATIN1.test(statusText);
  const given = new Response(stream, isOrdinary ? { status, statusText, headers } : { headers });
  const kept = isOrdinary ? { url, redirected, type } : { status, statusText, ok, url, redirected, type };
  for (const [name, value] of Object.entries(kept)) Object.defineProperty(given, name, { value });
  return given;
}

/** A body that is sent, which ends with the signal: Node 20's own fetch goes on pulling the source of an upload that was aborted. */
export function endedBy(signal: AbortSignal, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return track(body, signal).stream;
}

function track(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): { readonly stream: ReadableStream<Uint8Array>; readonly ended: Promise<void> } {
  const reader = body.getReader();
  const { promise: ended, resolve, reject } = withResolvers();
  let over = false;
  let leave: () => void = () => undefined;
  /** The source has really ended only when its own cancel has. */
  const giveUp = async (reason: unknown): Promise<void> => {
    over = true;
    leave();
    await reader.cancel(reason).catch(() => undefined); // it broke with this very abort, as a rule
    reject(reason);
  };
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const abort = (): void => {
          if (over) return;
          controller.error(signal.reason);
          void giveUp(signal.reason);
        };
        leave = whenAborted(signal, abort);
        if (signal.aborted) abort();
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (over) return;
          if (!done) {
            controller.enqueue(value);
            return;
          }
          over = true;
          leave();
          controller.close();
          resolve();
        } catch (error) {
          if (over) return;
          controller.error(error);
          await giveUp(error);
        }
      },
      cancel: () => giveUp(new KilldrillError('BODY_CANCELLED', 'its body was cancelled by its reader before its end')),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: AHEAD_BYTES }),
  );
  return { stream, ended };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let resolve: () => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<void>((done, broke) => {
    resolve = done;
    reject = broke;
  });
  promise.catch(() => undefined); // whoever awaits it may come later
  return { promise, resolve, reject };
}
