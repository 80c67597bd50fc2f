import { z } from 'zod';
import { KilldrillError } from '../errors.ts';
import { shown } from '../name.ts';
import { GLOBAL_TARGET, SCOPES, STOP_MODES } from '../switch.ts';
import type { Scope, StopMode } from '../switch.ts';

/** Largest alert that is read, bytes. */
export const MAX_ALERT_BYTES = 16_384;
/** Longest time from `raisedAt` to `expiresAt`, milliseconds: a day. An alert that never expires would be good for a replay for ever. */
export const MAX_ALERT_LIFE_MS = 86_400_000;

/** What a detector measured. */
export interface Evidence {
  readonly metric: string;
  readonly value: number;
  readonly threshold: number;
}

/** A message that asks for a stop, schema version 1. */
export interface Alert {
  readonly version: 1;
  readonly namespace: string;
  /** Unique for ever among the alerts of its detector. */
  readonly id: string;
  /** ISO 8601 instant, by the detector's clock. */
  readonly raisedAt: string;
  /** ISO 8601 instant from which on the detector does not want the stop any more, at most a day after `raisedAt`. */
  readonly expiresAt: string;
  readonly detector: string;
  readonly scope: Scope;
  /** As a switch's: `*` for global; a capability's may end in `/*`. */
  readonly target: string;
  readonly mode: StopMode;
  readonly reason: string;
  /** The last revision that the detector had seen; what tells a stale alert from a new one without a clock. */
  readonly observedRevision?: number;
  readonly evidence?: Evidence;
  readonly traceId?: string;
}

/** The short form: one agent's halt. Fields that it does not know are left alone. */
export interface ShortAlert {
  readonly agent_id: string;
  readonly reason: string;
}

export type ReadAlert =
  { readonly kind: 'full'; readonly alert: Alert } | { readonly kind: 'short'; readonly alert: ShortAlert };

/** PostgreSQL keeps neither NUL nor half a surrogate pair; found late, such a name would hold up every alert behind it. */
const storable = (value: string): boolean => !/[\0\p{Cs}]/u.test(value);
const STORABLE = { message: 'expected text without U+0000 and without half a surrogate pair' };
const name = (max: number) => z.string().min(1).max(max).refine(storable, STORABLE);
const instant = z.iso.datetime({ offset: true });
const reason = z.string().max(1_500).refine(storable, STORABLE);
const finite = z.number();

/** Detector names hold no colon, so that none can pass for another kind of source. */
export const detectorName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/, 'expected 1 to 100 of letters, digits, dot, dash, underscore, slash');

const fullSchema = z
  .strictObject({
    version: z.literal(1),
    namespace: name(300),
    id: name(200),
    raisedAt: instant,
    expiresAt: instant,
    detector: detectorName,
    scope: z.enum(SCOPES),
    target: name(300),
    mode: z.enum(STOP_MODES),
    reason,
    observedRevision: z.exactOptional(z.number().int().min(0)),
    evidence: z.exactOptional(z.strictObject({ metric: name(100), value: finite, threshold: finite })),
    traceId: z.exactOptional(name(100)),
  })
  .superRefine((alert, context) => {
    const fault = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const lifeMs = Date.parse(alert.expiresAt) - Date.parse(alert.raisedAt);
    if (!(lifeMs > 0 && lifeMs <= MAX_ALERT_LIFE_MS)) {
      fault('expiresAt', `expected later than raisedAt by at most ${MAX_ALERT_LIFE_MS} ms, found ${lifeMs} ms`);
    }
    if (!isTarget(alert.scope, alert.target)) {
      fault('target', `'${shown(alert.target)}' is no target of scope '${alert.scope}'`);
    }
  });

const shortSchema = z.looseObject({ agent_id: name(300), reason });

/** Whether a switch of this scope can have this target. A pattern that matches nothing would be a stop that stops nothing. */
export function isTarget(scope: Scope, target: string): boolean {
  if (scope === 'global') return target === GLOBAL_TARGET;
  if (scope === 'capability') return /^[^\s/*]+(\/[^\s/*]+)*(\/\*)?$/.test(target);
  return target !== GLOBAL_TARGET;
}

/**
 * The canonical text of an alert: JSON with a fixed order of keys. Its UTF-8 bytes are what is signed and sent; the
 * signature travels beside them.
 */
export function alertText(alert: Alert): string {
  const { version, namespace, id, raisedAt, expiresAt, detector, scope, target, mode } = alert;
  const { observedRevision, evidence, traceId } = alert;
  const to = { version, namespace, id, raisedAt, expiresAt, detector, scope, target, mode };
  return JSON.stringify({ ...to, reason: alert.reason, observedRevision, evidence, traceId });
}

/**
 * Reads an alert as it came from the bus. What has `agent_id` and no `version` is the short form.
 *
 * @throws KilldrillError `ALERT_TOO_LARGE`, or `ALERT_UNREADABLE` naming the first field that is wrong, what was found
 * and what was expected.
 */
export function readAlert(bytes: Uint8Array): ReadAlert {
  if (bytes.byteLength > MAX_ALERT_BYTES) {
    throw new KilldrillError(
      'ALERT_TOO_LARGE',
      `the alert has ${bytes.byteLength} bytes, at most ${MAX_ALERT_BYTES} are read; send the evidence elsewhere and its traceId here`,
    );
  }
  const json = readJson(bytes);
  if (typeof json === 'object' && json !== null && 'agent_id' in json && !('version' in json)) {
    return { kind: 'short', alert: checked(shortSchema, json) };
  }
  return { kind: 'full', alert: checked(fullSchema, json) };
}

function readJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new KilldrillError('ALERT_UNREADABLE', 'the alert is not UTF-8; send JSON in UTF-8', { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = text === '' ? 'nothing' : JSON.stringify(text.slice(0, 80));
    throw new KilldrillError('ALERT_UNREADABLE', `the alert is not JSON, found ${found}; send one JSON object`, {
      cause,
    });
  }
}

function checked<T>(schema: z.ZodType<T>, json: unknown): T {
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const path = issue?.path ?? [];
  const where = path.length === 0 ? 'shape' : path.join('.');
  throw new KilldrillError(
    'ALERT_UNREADABLE',
    `the alert's ${where} is wrong, found ${foundAt(json, path)}: ${issue?.message ?? 'unreadable'}`,
  );
}

function foundAt(json: unknown, path: readonly PropertyKey[]): string {
  let at: unknown = json;
  for (const key of path) {
    at = typeof at === 'object' && at !== null ? (at as Readonly<Record<PropertyKey, unknown>>)[key] : undefined;
  }
  if (at === undefined) return 'nothing';
  return at === null ? 'null' : `'${shown(at)}'`;
}
