import { nameOfDue } from './calendar-file.ts';
import type { Calendar, CalendarCell } from './calendar-file.ts';
import type { EvidenceStop } from './evidence-file.ts';
import type { KeptEvidence, KeptFacts } from './load-evidence.ts';

/** `failed`: the last drill that says anything failed. `never`: no drill says anything. Only the first two are well. */
export const DUE_STATES = ['proven', 'due soon', 'overdue', 'failed', 'never proven'] as const;
export type DueState = (typeof DUE_STATES)[number];

/** The drill that a cell's state comes from. */
export interface DueRun {
  readonly run: string;
  readonly file: string;
  readonly scenario: string;
  /** When it ended, milliseconds since 1970. */
  readonly atMs: number;
  readonly commit: string | null;
  readonly isSimulated: boolean;
  /** The worst of it; null of one that passed. */
  readonly worst: string | null;
}

export interface DueCell extends CalendarCell {
  readonly state: DueState;
  /** The last drill that passed with such a stop. */
  readonly proven: DueRun | null;
  /** Milliseconds since 1970; null of what was never proven. */
  readonly expiresMs: number | null;
  /** The last drill with such a stop that failed, when that is later than the last that passed. */
  readonly failed: DueRun | null;
  /** Drills with such a stop that came to no verdict, since the last that proved it or failed. */
  readonly inconclusive: number;
  /** Drills with such a stop that passed and prove nothing of it, since then: too little of them was judged, or it stopped nobody. */
  readonly lesser: number;
}

export interface DueTimes {
  readonly nowMs: number;
  readonly soonMs: number;
}

/**
 * What is due, in the order of the calendar. Only a drill that passed proves a cell, by a stop that it was answered to hold,
 * that stopped a worker, and after which nothing arrived; one that failed takes the proof away, also when it did not come to
 * its stop.
 *
 * @param kept by the end of the drill
 */
export function dueCells(calendar: Calendar, kept: readonly KeptEvidence[], times: DueTimes): readonly DueCell[] {
  const drills = kept.filter(({ evidence }) => isOf(calendar.fleet, evidence));
  const cells = calendar.cells ?? drilledCells(drills, calendar.everyMs);
  const told = new Map<string, KeptEvidence[]>();
  for (const one of drills) {
    const names = new Set(one.evidence.stops.flatMap((stop) => namesOf(stop, one.evidence)));
    for (const name of names) (told.get(name) ?? told.set(name, []).get(name))?.push(one);
  }
  return cells.map((cell) => dueCell(cell, told.get(nameOfDue(cell)) ?? [], times));
}

function isOf(fleet: Calendar['fleet'], { fleet: { command } }: KeptFacts): boolean {
  return fleet === null || JSON.stringify(command) === JSON.stringify(fleet);
}

/** Every cell of a calendar that a stop belongs to, by name. */
export function namesOf({ scope, path, mode }: EvidenceStop, { environment }: KeptFacts): readonly string[] {
  return [mode, null].flatMap((one) =>
    [environment.name, null].map((where) => nameOfDue({ scope, path, mode: one, environment: where })),
  );
}

/** Scope × path of every stop that was ever proven or failed. */
function drilledCells(drills: readonly KeptEvidence[], everyMs: number): readonly CalendarCell[] {
  const stops = drills.flatMap(({ evidence: { result, stops: of } }) =>
    result.verdict === 'pass' || result.verdict === 'fail' ? of : [],
  );
  const cells = stops.map(({ scope, path }) => ({ scope, path, mode: null, environment: null, everyMs }));
  const once = new Map(cells.map((cell) => [nameOfDue(cell), cell]));
  return [...once].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, cell]) => cell);
}

function dueCell(cell: CalendarCell, drills: readonly KeptEvidence[], { nowMs, soonMs }: DueTimes): DueCell {
  const proving = drills.findLast(({ evidence }) => proves(evidence, cell));
  const failing = drills.findLast(({ evidence }) => evidence.result.verdict === 'fail');
  const proven = proving === undefined ? null : runOf(proving);
  const last = failing === undefined ? null : runOf(failing);
  // Of two that ended at once, the one that failed counts.
  const failed = last !== null && last.atMs >= (proven?.atMs ?? -Infinity) ? last : null;
  const sinceMs = Math.max(proven?.atMs ?? -Infinity, failed?.atMs ?? -Infinity);
  const since = drills.filter(({ evidence: { when } }) => Date.parse(when.end) > sinceMs);
  const lesser = since.filter(({ evidence: { result } }) => result.verdict === 'pass').length;
  const inconclusive = since.length - lesser;
  const expiresMs = proven === null ? null : proven.atMs + cell.everyMs;
  const state = stateOf({ failed, expiresMs }, { nowMs, soonMs });
  return { ...cell, state, proven, expiresMs, failed, inconclusive, lesser };
}

function proves({ result, stops, environment, isStandstillShown }: KeptFacts, cell: CalendarCell): boolean {
  if (result.verdict !== 'pass' || !isStandstillShown) return false;
  return stops.some(
    (stop) =>
      stop.answer === 'acknowledged' &&
      (stop.timeToStop?.n ?? 0) > 0 &&
      stop.scope === cell.scope &&
      stop.path === cell.path &&
      (cell.mode ?? stop.mode) === stop.mode &&
      (cell.environment ?? environment.name) === environment.name,
  );
}

function stateOf({ failed, expiresMs }: Pick<DueCell, 'failed' | 'expiresMs'>, { nowMs, soonMs }: DueTimes): DueState {
  if (failed !== null) return 'failed';
  if (expiresMs === null) return 'never proven';
  if (nowMs >= expiresMs) return 'overdue';
  return nowMs >= expiresMs - soonMs ? 'due soon' : 'proven';
}

function runOf({ file, evidence: { bundle, drill, when, project, fleet, result } }: KeptEvidence): DueRun {
  const worst = result.worst === null || result.verdict === 'pass' ? null : result.worst.name;
  const isSimulated = fleet.command === null;
  const { commit } = project;
  return { run: bundle.name, file, scenario: drill.scenario, atMs: Date.parse(when.end), commit, isSimulated, worst };
}
