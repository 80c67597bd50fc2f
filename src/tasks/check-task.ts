import { KilldrillError, messageOf } from '../errors.ts';
import { NAME_RULE, isCapability, isName, shown } from '../name.ts';
import { PAST_DUE_POLICIES, TASK_KINDS } from '../store/store.ts';
import type { Due, NewTask } from '../store/store.ts';
import { checkRepeat } from './schedule.ts';

/** Ancestors of one run at most. */
const MAX_LINEAGE = 256;
/** Longest plan, characters of JSON. */
const MAX_PLAN = 262_144;
/** Deepest plan: PostgreSQL reads JSON by recursion, and refuses what is too deep for its stack. */
const MAX_DEPTH = 200;
/** Latest time from now, milliseconds: 100 years. */
const MAX_DUE_MS = 100 * 366 * 86_400_000;
/** Earliest instant: PostgreSQL has no year 0, and refuses a whole batch for it. */
const MIN_DUE_MS = Date.parse('0001-01-01T00:00:00Z');
/** A cron expression means the same from whatever instant it is read; this one makes the check independent of the clock. */
const ANY_INSTANT = '2000-01-01T00:00:00.000Z';
/** ISO 8601 with a zone: without one, the instant would depend on whose machine reads it. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
/** JSON that PostgreSQL's jsonb refuses: `JSON.stringify` escapes surrogates only where one of a pair is missing. */
const UNSTORABLE = /(?<!\\)(\\\\)*\\u(0000|d[89a-f])/;

/**
 * Tasks travel in batches: one that the store cannot keep must not take the others with it, so everything about it is
 * checked before it joins them. What comes in may be anybody's JSON, whatever its type says.
 *
 * @throws KilldrillError `TASK_INVALID` naming the field, what was found and what was expected.
 */
export function checkTask(task: NewTask): void {
  checkNames(task);
  oneOf('kind', task.kind, TASK_KINDS);
  oneOf('pastDue', task.pastDue, PAST_DUE_POLICIES);
  if (task.capability !== null && !isCapability(task.capability))
    throw invalid('capability', task.capability, "null or a path such as 'webhook/notify'");
  checkDue(task.due);
  checkRepeating(task.repeat);
  checkPlan(task.plan);
}

function checkNames({ id, run, agent, tenant, feature, lineage }: NewTask): void {
  for (const [field, name] of Object.entries({ id, run, agent, tenant, feature })) {
    const mayBeNull = field === 'tenant' || field === 'feature';
    if (!(mayBeNull && name === null) && !isName(name)) throw invalid(field, name, NAME_RULE);
  }
  if (!Array.isArray(lineage) || lineage.length > MAX_LINEAGE)
    throw invalid('lineage', lineage, `a list of at most ${MAX_LINEAGE} run ids`);
  for (const ancestor of lineage) if (!isName(ancestor)) throw invalid('lineage', ancestor, NAME_RULE);
}

function oneOf(field: string, found: unknown, known: readonly string[]): void {
  if (!known.some((one) => one === found)) throw invalid(field, found, `one of ${known.join(', ')}`);
}

function checkDue(due: Due): void {
  // Absent or null where a caller without types left it out.
  const { kind, ms, at } = (due ?? {}) as { kind?: unknown; ms?: unknown; at?: unknown };
  if (kind === 'now') return;
  if (kind === 'in') {
    if (typeof ms === 'number' && ms >= 0 && ms <= MAX_DUE_MS) return;
    throw invalid('due', ms, `0 to ${MAX_DUE_MS} milliseconds from now`);
  }
  if (kind !== 'at') throw invalid('due', kind, "one of { kind: 'now' }, { kind: 'in', ms }, { kind: 'at', at }");
  if (typeof at !== 'string' || !INSTANT.test(at) || !(Date.parse(at) >= MIN_DUE_MS))
    throw invalid('due', at, "an ISO 8601 instant with its zone, such as '2030-01-31T12:00:00Z'");
}

function checkRepeating(repeat: string | null): void {
  if (repeat === null) return;
  if (typeof repeat !== 'string') throw invalid('repeat', repeat, "null, 'every N' or a cron expression");
  try {
    checkRepeat(repeat, ANY_INSTANT);
  } catch (cause) {
    throw new KilldrillError('TASK_INVALID', `a task cannot be queued: ${messageOf(cause)}`, { cause });
  }
}

function checkPlan(plan: unknown): void {
  let json: string | undefined;
  try {
    // Undefined for what JSON does not know, against its declared type.
    json = JSON.stringify(plan) as string | undefined;
  } catch (cause) {
    throw unusable(`its plan is no JSON (${messageOf(cause)})`);
  }
  if (json === undefined) throw unusable('its plan is no JSON');
  if (json.length > MAX_PLAN)
    throw unusable(`its plan has ${json.length} characters of JSON; expected at most ${MAX_PLAN}`);
  if (UNSTORABLE.test(json)) throw unusable('its plan holds a NUL character or half a surrogate pair');
  if (depthOf(json) > MAX_DEPTH) throw unusable(`its plan is nested more than ${MAX_DEPTH} deep`);
}

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, (depth += 1));
    else if (token === ']' || token === '}') depth -= 1;
  }
  return deepest;
}

function invalid(field: string, found: unknown, expected: string): KilldrillError {
  return unusable(`its ${field} is '${shown(found)}'; expected ${expected}`);
}

function unusable(why: string): KilldrillError {
  return new KilldrillError('TASK_INVALID', `a task cannot be queued: ${why}`);
}
