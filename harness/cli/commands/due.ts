import { existsSync } from 'node:fs';
import { CALENDAR_FILE, NO_CALENDAR, readCalendar } from '../../evidence/calendar-file.ts';
import { parseDays } from '../../evidence/days.ts';
import { dueReportOf } from '../../evidence/due-report.ts';
import { loadEvidence } from '../../evidence/load-evidence.ts';
import { renderDue } from '../../report/due-table.ts';
import { DEFAULT_SOON } from '../defaults.ts';
import { data, mayColour } from '../output.ts';
import { usage } from '../usage.ts';

export interface DueFlags {
  /** Folders that were named; true when none was. */
  readonly due: true | readonly string[];
  readonly calendar?: string;
  readonly soon?: string;
  readonly json?: boolean;
}

/** Where evidence is looked for unless told otherwise: what runs leave, and what somebody keeps. */
const FOLDERS = ['reports', 'evidence'];
const WIDTH = 80;

/**
 * `killdrill doctor --due [folder…]`: what drills have proven, and what is overdue. 0 when nothing is; 1 when something is, has
 * failed since, or was never proven; 3 when a calendar, a folder or a file of evidence cannot be read.
 */
export function due(flags: DueFlags): number {
  const soon = flags.soon ?? DEFAULT_SOON;
  const soonMs = parseDays(soon);
  if (soonMs === null) throw usage(`--soon is '${soon}'; expected a number of days such as ${DEFAULT_SOON}`);
  const folders = flags.due === true ? FOLDERS.filter((folder) => existsSync(folder)) : flags.due;
  const missing = folders.find((folder) => !existsSync(folder));
  if (missing !== undefined)
    throw usage(`--due names '${missing}', which is not there; name a folder that holds bundles or files of evidence`);
  const calendarFile = flags.calendar ?? (existsSync(CALENDAR_FILE) ? CALENDAR_FILE : null);
  const calendar = calendarFile === null ? NO_CALENDAR : readCalendar(calendarFile);
  const nowMs = Date.now();
  const loaded = loadEvidence(folders, nowMs);
  const report = dueReportOf({ calendar, calendarFile, folders, loaded }, { nowMs, soonMs });
  if (flags.json === true) data(JSON.stringify(report, null, 2));
  else data(renderDue(report, { width: WIDTH, colour: mayColour(process.stdout) }));
  return report.exitCode;
}
