import { z } from 'zod';
import { KilldrillError } from './errors.ts';
import { GLOBAL_TARGET, QUEUE_POLICIES, SCOPES, STOP_MODES } from './switch.ts';
import type { Engagement, Flip, StopFlip } from './switch.ts';

/** Longest drain, milliseconds: a day. */
const MAX_DRAIN_MS = 86_400_000;

/** Longest reason and longest other text, in UTF-16 units; the store counts the same. */
const MAX_REASON = 2_000;
const MAX_TEXT = 300;
/** What a stop has without `drainMs`. */
const PLAIN_FIELDS = 11;

const name = z.string().min(1).max(MAX_TEXT);
const common = {
  namespace: name,
  id: name,
  scope: z.enum(SCOPES),
  target: name,
  reason: z.string().max(MAX_REASON),
  triggeredBy: name,
  source: name,
  at: name,
};
const flipSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('stop'),
      ...common,
      mode: z.enum(STOP_MODES),
      queue: z.enum(QUEUE_POLICIES),
      drainMs: z.exactOptional(z.number().int().min(1).max(MAX_DRAIN_MS)),
    }),
    z.strictObject({ kind: z.literal('release'), ...common, engagements: z.array(name).min(1).max(1000) }),
  ])
  .refine((flip) => flip.scope !== 'global' || flip.target === GLOBAL_TARGET, {
    message: `the target of a global switch is '${GLOBAL_TARGET}'`,
    path: ['target'],
  })
  .refine((flip) => flip.kind !== 'stop' || flip.queue !== 'drain' || flip.mode !== 'emergency', {
    message: "an emergency lets nothing pass; expected 'discard' or 'park', found 'drain'",
    path: ['queue'],
  })
  .refine((flip) => flip.kind !== 'stop' || (flip.queue === 'drain') === (flip.drainMs !== undefined), {
    message: "how long a drain lasts is expected with queue 'drain', and with no other",
    path: ['drainMs'],
  });

/**
 * The canonical text of a flip: JSON with a fixed order of keys. It is what is signed, hashed and stored verbatim.
 */
export function canonicalText(flip: Flip): string {
  const { namespace, id, kind, scope, target, reason, triggeredBy, source, at } = flip;
  const what = flip.kind === 'stop' ? policyOf(flip) : { engagements: flip.engagements };
  return JSON.stringify({ namespace, id, kind, scope, target, ...what, reason, triggeredBy, source, at });
}

/**
 * Reads a flip's canonical text.
 *
 * @throws KilldrillError `FLIP_UNREADABLE` naming the first field that is wrong, what was found and what was expected.
 */
export function parseFlip(text: string): Flip {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new KilldrillError('FLIP_UNREADABLE', `a flip's text is not JSON: ${text.slice(0, 80)}`, { cause });
  }
  const stop = plainStop(json);
  if (stop !== null) return stop;
  const read = flipSchema.safeParse(json);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const where = issue === undefined ? 'flip' : issue.path.join('.') || 'flip';
  throw new KilldrillError('FLIP_UNREADABLE', `a flip's ${where} is wrong: ${issue?.message ?? 'unreadable'}`);
}

/**
 * A stop without a drain, if it is one beyond doubt; whatever else there is, the schema judges and names what is wrong.
 *
 * A worker that starts reads all that is open: with the schema alone that was a third of its time.
 */
function plainStop(json: unknown): StopFlip | null {
  if (typeof json !== 'object' || json === null) return null;
  const stop = json as { readonly [Field in keyof StopFlip]?: unknown };
  const isPlain =
    stop.kind === 'stop' &&
    (stop.queue === 'discard' || stop.queue === 'park') &&
    isOneOf(SCOPES, stop.scope) &&
    isOneOf(STOP_MODES, stop.mode) &&
    isText(stop.namespace) &&
    isText(stop.id) &&
    isText(stop.target) &&
    isText(stop.triggeredBy) &&
    isText(stop.source) &&
    isText(stop.at) &&
    typeof stop.reason === 'string' &&
    stop.reason.length <= MAX_REASON &&
    (stop.scope !== 'global' || stop.target === GLOBAL_TARGET) &&
    Object.keys(stop).length === PLAIN_FIELDS;
  return isPlain ? (json as StopFlip) : null;
}

function isOneOf(known: readonly string[], found: unknown): boolean {
  return typeof found === 'string' && known.includes(found);
}

function isText(found: unknown): boolean {
  return typeof found === 'string' && found.length >= 1 && found.length <= MAX_TEXT;
}

/** The engagement that a stop opens. */
export function engagementOf(stop: StopFlip): Engagement {
  const { id, scope, target, reason, triggeredBy, source, at } = stop;
  return { id, scope, target, ...policyOf(stop), reason, triggeredBy, source, at };
}

function policyOf({ mode, queue, drainMs }: StopFlip): Pick<StopFlip, 'mode' | 'queue' | 'drainMs'> {
  return drainMs === undefined ? { mode, queue } : { mode, queue, drainMs };
}
