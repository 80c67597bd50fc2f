import { Cron } from 'croner';
import { KilldrillError, messageOf } from '../errors.ts';
import { shown } from '../name.ts';

/** Shortest and longest `every`, milliseconds: a second, and a year. */
const MIN_EVERY_MS = 1_000;
const MAX_EVERY_MS = 366 * 86_400_000;

const EXPECTED = `expected 'every N' (N in milliseconds, ${MIN_EVERY_MS} to ${MAX_EVERY_MS}) or five fields of cron in UTC, such as '*/5 * * * *'`;

/**
 * The next occurrence of something that repeats, ISO 8601: the first one after `after`, and after `notBefore` where that
 * is later, so that what was missed is not made up for, one by one.
 *
 * `every 60000` counts in milliseconds from `after`: with the time at which a task was due there, how late it ran moves
 * nothing. A retry, and a `shift`, give a task another due time, and its next ones are counted from that. Anything else is
 * a cron expression of five fields in UTC, whose times nothing moves.
 *
 * @throws KilldrillError `REPEAT_INVALID` for what is neither, for a cron expression that never comes, or for no instant.
 */
export function nextDue(repeat: string, after: string, notBefore: string = after): string {
  const afterMs = instant(repeat, after);
  const fromMs = Math.max(afterMs, instant(repeat, notBefore));
  const everyMs = everyOf(repeat);
  if (everyMs !== null) {
    const periods = Math.floor((fromMs - afterMs) / everyMs) + 1;
    return new Date(afterMs + periods * everyMs).toISOString();
  }
  const next = cronOf(repeat).nextRun(new Date(fromMs));
  if (next === null) throw invalid(repeat, 'it never comes again');
  return next.toISOString();
}

/** Says whether `nextDue` would understand it, by the same error. */
export function checkRepeat(repeat: string, after: string): void {
  nextDue(repeat, after);
}

function everyOf(repeat: string): number | null {
  const found = /^every (\d{1,15})$/.exec(repeat);
  if (found === null) return null;
  const everyMs = Number(found[1]);
  if (everyMs >= MIN_EVERY_MS && everyMs <= MAX_EVERY_MS) return everyMs;
  throw invalid(repeat, `${everyMs} ms is out of bounds`);
}

function cronOf(repeat: string): Cron {
  const fields = repeat.split(' ');
  if (repeat.length > 200 || fields.length !== 5 || fields.includes(''))
    throw invalid(repeat, 'it is not five fields with one space between them');
  // A question mark stands for the present, and would mean something else at each reading.
  if (repeat.includes('?')) throw invalid(repeat, "'?' is not understood");
  try {
    return new Cron(repeat, { mode: '5-part', timezone: 'UTC' });
  } catch (cause) {
    throw invalid(repeat, messageOf(cause));
  }
}

function instant(repeat: string, text: string): number {
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  throw new KilldrillError(
    'REPEAT_INVALID',
    `the next time of '${shown(repeat)}' was asked for after '${shown(text)}'; expected an ISO 8601 instant`,
  );
}

function invalid(repeat: string, why: string): KilldrillError {
  return new KilldrillError('REPEAT_INVALID', `a task's repeat is '${shown(repeat)}': ${why}; ${EXPECTED}`);
}
