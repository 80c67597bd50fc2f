import type { z } from 'zod';
import { KilldrillError } from '../../src/errors.ts';
import { SCOPES, STOP_MODES } from '../../src/switch.ts';
import type { Scope, StopMode } from '../../src/switch.ts';
import type { EnvironmentName } from '../environment/environment.ts';
import { fleetSchema } from '../scenario/command-schema.ts';
import { exactly, list, map, oneOf, text } from '../scenario/leaf.ts';
import { TAKEN_PATHS } from '../scenario/taken-path.ts';
import type { TakenPath } from '../scenario/taken-path.ts';
import { readYamlFile } from '../scenario/yaml-file.ts';
import { DAYS, parseDays } from './days.ts';

export const CALENDAR_FILE = 'calendar.yaml';
/** A quarter. */
export const DEFAULT_EVERY = '90d';

/** A kind of stop that has to be drilled again and again. */
export interface CalendarCell {
  readonly scope: Scope;
  readonly path: TakenPath;
  /** Null: whichever. */
  readonly mode: StopMode | null;
  /** Null: whichever. */
  readonly environment: string | null;
  /** How long a proof lasts. */
  readonly everyMs: number;
}

/** `calendar.yaml`: what has to be drilled, how often, and of which fleet. */
export interface Calendar {
  /** Only drills of this command count; null for those of any fleet. */
  readonly fleet: readonly string[] | null;
  /** Each cell once, with the shortest time that is asked for; null for those that were ever drilled. */
  readonly cells: readonly CalendarCell[] | null;
  /** Of cells that nobody wrote down. */
  readonly everyMs: number;
}

const ENVIRONMENTS = [
  'containers',
  'local',
  'embedded',
  'external',
  'none',
] as const satisfies readonly EnvironmentName[];
const MOST_DEMANDS = 100;
const several = (words: readonly string[]) => ({ min: 1, max: words.length });
const days = text(DAYS, { min: 2, max: 5 }, 'a number of days from 1d to 9999d', DEFAULT_EVERY);

const demand = map(
  {
    scopes: list(oneOf(SCOPES), several(SCOPES), 'scopes', '[tenant]'),
    modes: list(oneOf(STOP_MODES), several(STOP_MODES), 'modes', '[halt_all]').optional(),
    paths: list(oneOf(TAKEN_PATHS), several(TAKEN_PATHS), 'paths', '[postgres]'),
    every: days.optional(),
    environment: list(oneOf(ENVIRONMENTS), several(ENVIRONMENTS), 'environments', '[external]').optional(),
  },
  '{ scopes: [tenant], paths: [postgres], every: 30d }',
);

const calendarSchema = map(
  {
    version: exactly(1, '1'),
    every: days.optional(),
    fleet: fleetSchema.optional(),
    coverage: list(
      demand,
      { min: 1, max: MOST_DEMANDS },
      'demands',
      '[{ scopes: [tenant], paths: [postgres] }]',
    ).optional(),
  },
  'version, every, fleet and coverage',
);

export const NO_CALENDAR: Calendar = { fleet: null, cells: null, everyMs: msOf(DEFAULT_EVERY) };

/**
 * Reads a `calendar.yaml`.
 *
 * @throws KilldrillError `CALENDAR_INVALID` with a line for everything that is wrong
 */
export function readCalendar(path: string): Calendar {
  const read: z.output<typeof calendarSchema> = readYamlFile(path, calendarSchema, {
    is: 'the calendar of drills',
    example: '{ version: 1, every: 90d, coverage: [{ scopes: [tenant], paths: [postgres] }] }',
    invalid: (sentence, options) => new KilldrillError('CALENDAR_INVALID', sentence, options),
  });
  const everyMs = msOf(read.every ?? DEFAULT_EVERY);
  const fleet = read.fleet?.command ?? null;
  if (read.coverage === undefined) return { fleet, cells: null, everyMs };
  const cells = new Map<string, CalendarCell>();
  for (const cell of read.coverage.flatMap((one) => cellsOf(one, everyMs))) {
    const name = nameOfDue(cell);
    const there = cells.get(name);
    if (there === undefined || cell.everyMs < there.everyMs) cells.set(name, cell);
  }
  return { fleet, cells: [...cells.values()], everyMs };
}

/** Every combination. */
function cellsOf(one: z.output<typeof demand>, otherwiseMs: number): readonly CalendarCell[] {
  const everyMs = one.every === undefined ? otherwiseMs : msOf(one.every);
  const modes = one.modes ?? [null];
  const environments = one.environment ?? [null];
  return one.scopes.flatMap((scope) =>
    one.paths.flatMap((path) =>
      modes.flatMap((mode) => environments.map((environment) => ({ scope, path, mode, environment, everyMs }))),
    ),
  );
}

function msOf(text: string): number {
  return parseDays(text) ?? Number.NaN; // the schema lets nothing else through
}

interface Named extends Pick<CalendarCell, 'scope' | 'path' | 'mode'> {
  readonly environment: string | null;
}

/** How a sentence names a cell. */
export function nameOfDue({ scope, path, mode, environment }: Named): string {
  return (
    [scope, path, ...(mode === null ? [] : [mode])].join(' × ') + (environment === null ? '' : ` on ${environment}`)
  );
}
