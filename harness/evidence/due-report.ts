import { nameOfDue } from './calendar-file.ts';
import type { Calendar } from './calendar-file.ts';
import { dayOf, formatDays } from './days.ts';
import { dueCells, namesOf } from './due-cells.ts';
import type { DueCell, DueRun, DueState, DueTimes } from './due-cells.ts';
import type { LoadedEvidence } from './load-evidence.ts';

/** What is due, for programs. Additions keep the version. Instants are ISO 8601 in UTC. */
export interface DueReport {
  readonly version: 1;
  readonly now: string;
  /** Days before it expires at which a proof is called due soon, such as `14d`. */
  readonly soon: string;
  /** The calendar's file; null when nobody wrote one. */
  readonly calendar: string | null;
  readonly folders: readonly string[];
  readonly cells: readonly ReportedDue[];
  /** Files that do not count, and why. */
  readonly leftOut: LoadedEvidence['leftOut'];
  readonly evidence: { readonly drills: number; readonly copies: number; readonly bundlesWithout: number };
  readonly notes: readonly string[];
  /** `due`: a cell is overdue, has failed or was never proven. `unread`: none is, but something does not count. */
  readonly answer: 'proven' | 'due' | 'unread';
  readonly exitCode: 0 | 1 | 3;
}

export interface ReportedDue {
  readonly scope: string;
  readonly path: string;
  readonly mode: string | null;
  readonly environment: string | null;
  readonly every: string;
  readonly state: DueState;
  readonly proven: ReportedRun | null;
  readonly expires: string | null;
  readonly failed: ReportedRun | null;
  /** What is to be done, a sentence; null when nothing is. */
  readonly why: string | null;
}

export type ReportedRun = Omit<DueRun, 'atMs'> & { readonly at: string };

export interface DueInput {
  readonly calendar: Calendar;
  readonly calendarFile: string | null;
  readonly folders: readonly string[];
  readonly loaded: LoadedEvidence;
}

/** Holds kept evidence against a calendar. What does not count keeps the answer from being a good one, since it may have been a fail. */
export function dueReportOf({ calendar, calendarFile, folders, loaded }: DueInput, times: DueTimes): DueReport {
  const cells = dueCells(calendar, loaded.kept, times);
  const isDue = cells.length === 0 || cells.some(({ state }) => state !== 'proven' && state !== 'due soon');
  const isRead = loaded.leftOut.length === 0;
  return {
    version: 1,
    now: new Date(times.nowMs).toISOString(),
    soon: formatDays(times.soonMs),
    calendar: calendarFile,
    folders,
    cells: cells.map(reported),
    leftOut: loaded.leftOut,
    evidence: { drills: loaded.kept.length, copies: loaded.copies, bundlesWithout: loaded.bundlesWithout.length },
    notes: notesOf(cells, calendar, loaded),
    answer: isDue ? 'due' : isRead ? 'proven' : 'unread',
    exitCode: isDue ? 1 : isRead ? 0 : 3,
  };
}

function reported(cell: DueCell): ReportedDue {
  const { scope, path, mode, environment, everyMs, state, proven, expiresMs, failed } = cell;
  return {
    ...{ scope, path, mode, environment, every: formatDays(everyMs), state },
    proven: runOf(proven),
    expires: expiresMs === null ? null : new Date(expiresMs).toISOString(),
    failed: runOf(failed),
    why: whyOf(cell),
  };
}

function runOf(run: DueRun | null): ReportedRun | null {
  if (run === null) return null;
  const { atMs, ...rest } = run;
  return { ...rest, at: new Date(atMs).toISOString() };
}

function whyOf(cell: DueCell): string | null {
  const { state, proven, failed, expiresMs } = cell;
  const others = triedInVain(cell);
  const tried = others === null ? '' : ` (since then ${others})`;
  const name = nameOfDue(cell);
  if (state === 'proven') return null;
  if (failed !== null) {
    const before = proven === null ? 'was never proven' : `was last proven on ${dayOf(proven.atMs)}`;
    return `${name}: failed on ${dayOf(failed.atMs)} in ${failed.run} (${failed.worst ?? 'for no reason told'}), and ${before}${tried}; mend the fleet, and drill ${failed.scenario} again`;
  }
  if (proven === null || expiresMs === null) {
    const but = others === null ? '' : `; of those that had such a stop, ${others}`;
    return `${name}: no drill has proven such a stop${but}; run one that has it, and asks for all properties`;
  }
  const expiry = state === 'overdue' ? 'expired' : 'expires';
  return `${name}: what ${proven.run} has shown on ${dayOf(proven.atMs)} ${expiry} on ${dayOf(expiresMs)}${tried}; drill ${proven.scenario} again`;
}

/** Drills that say neither that it holds nor that it does not; null when there are none. */
function triedInVain({ inconclusive, lesser }: DueCell): string | null {
  const told = [
    ...(inconclusive === 0 ? [] : [`${inconclusive} came to no verdict`]),
    ...(lesser === 0 ? [] : [`${lesser} passed without it being judged that nothing arrived after the stop`]),
  ];
  return told.length === 0 ? null : told.join(' and ');
}

function notesOf(cells: readonly DueCell[], calendar: Calendar, loaded: LoadedEvidence): readonly string[] {
  const simulated = cells.filter(({ proven }) => proven?.isSimulated === true).length;
  const others = calendar.fleet === null ? 0 : loaded.kept.filter(isOfAnother(calendar.fleet)).length;
  const unlisted = calendar.cells === null ? [] : failuresBeside(cells, calendar, loaded);
  const without = loaded.bundlesWithout.length;
  return [
    ...(cells.length === 0 ? ['nothing was ever proven here, and no calendar says what should be'] : []),
    ...(simulated > 0
      ? [
          `${simulated} of ${cells.length} were proven with the simulated fleet of killdrill, and not with agents of yours`,
        ]
      : []),
    ...(others > 0 ? [`${others} drills were of another fleet than the calendar's, and do not count`] : []),
    ...unlisted.map((name) => `not on the calendar, and failed: ${name}`),
    ...(without > 0
      ? [`${without} bundles have no evidence (a selftest's, a gate's, a replay's, or of an earlier killdrill)`]
      : []),
  ];
}

function isOfAnother(fleet: readonly string[]): (one: LoadedEvidence['kept'][number]) => boolean {
  return ({ evidence }) => JSON.stringify(evidence.fleet.command) !== JSON.stringify(fleet);
}

/** Somebody who takes a kind of stop off the calendar still learns that it fails. */
function failuresBeside(cells: readonly DueCell[], calendar: Calendar, { kept }: LoadedEvidence): readonly string[] {
  const listed = new Set(cells.map(nameOfDue));
  const kinds = new Set(cells.map(({ scope, path }) => `${scope} ${path}`));
  const beside = kept.flatMap(({ evidence }) =>
    evidence.stops
      .filter((stop) => evidence.result.verdict === 'fail' && !namesOf(stop, evidence).some((name) => listed.has(name)))
      .map(({ scope, path, mode }) =>
        // Of a scope and path that are on it in part, it takes the mode and environment to say what is not.
        kinds.has(`${scope} ${path}`)
          ? { scope, path, mode, environment: evidence.environment.name }
          : { scope, path, mode: null, environment: null },
      ),
  );
  const once = new Map(beside.map((cell) => [nameOfDue(cell), { ...cell, everyMs: calendar.everyMs }]));
  const found = dueCells({ ...calendar, cells: [...once.values()] }, kept, { nowMs: 0, soonMs: 0 });
  return found.flatMap((cell) => (cell.state === 'failed' ? [nameOfDue(cell)] : [])).toSorted();
}
