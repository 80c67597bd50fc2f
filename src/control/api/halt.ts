import type { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { canonicalText, parseFlip } from '../../flip-text.ts';
import type { StopOffer } from '../../store/stop-port.ts';
import { GLOBAL_TARGET } from '../../switch.ts';
import type { Flip } from '../../switch.ts';
import type { TakenStop } from '../stop-taker-parts.ts';
import type { ApiKey } from './api-keys.ts';
import type { ControlApiParts } from './parts.ts';
import { RequestError } from './problem.ts';
import type { Reply } from './route.ts';
import { isStorable, UNSTORABLE } from './schemas.ts';
import type { stopMade, stopWords } from './schemas.ts';

type HaltBody = z.output<typeof stopWords> | z.output<typeof stopMade>;

/** `POST /halt`: enforced here at once, answered once it is durable or known not to be. */
export async function halt(parts: ControlApiParts, body: HaltBody, key: ApiKey | null): Promise<Reply> {
  const stop = 'text' in body ? checked(body) : stopOf(parts, body, key);
  return replyTo(await parts.taker.take(stop));
}

/** What no store could keep is refused at the door: once taken, a stop is not to be dropped. */
function checked(made: z.output<typeof stopMade>): StopOffer {
  let found: Flip;
  try {
    found = parseFlip(made.text);
  } catch (cause) {
    throw new RequestError('REQUEST_INVALID', messageOf(cause), 'body.text');
  }
  const wrong = Object.entries(found).find(([, value]) => typeof value === 'string' && !isStorable(value));
  if (wrong === undefined) return made;
  throw new RequestError('REQUEST_INVALID', `the flip's ${wrong[0]} is wrong: ${UNSTORABLE}`, 'body.text');
}

function stopOf(parts: ControlApiParts, words: z.output<typeof stopWords>, key: ApiKey | null): StopOffer {
  const { scope, target = GLOBAL_TARGET, mode, queue, drainMs, reason, by, id = parts.newId(), at } = words;
  const name = key?.name ?? 'nobody';
  const text = canonicalText({
    ...{ kind: 'stop', namespace: parts.namespace, id, scope, target, mode, queue, reason },
    ...(drainMs === undefined ? {} : { drainMs }),
    ...{ triggeredBy: by ?? name, source: `api:${name}`, at: at ?? firstInstant(parts, words) },
  });
  return { text, signature: parts.sign?.(text) ?? null };
}

/** A stop that is sent again under its id, without an instant, was taken when it came first. */
function firstInstant({ taker, clock }: ControlApiParts, { id }: z.output<typeof stopWords>): string {
  const known = id === undefined ? null : taker.textOf(id);
  return known === null ? new Date(clock.wallMs()).toISOString() : parseFlip(known).at;
}

function replyTo(taken: TakenStop): Reply {
  if (taken.kind === 'provisional') {
    const { id, why, reached, keptAt } = taken;
    return { status: 202, body: { id, durable: false, why, reached, keptAt } };
  }
  const { epoch, revision, hash } = taken.record;
  return { status: 200, body: { id: taken.id, durable: true, revision, head: { epoch, revision, hash } } };
}
