import type { z } from 'zod';
import { KilldrillError } from '../../src/errors.ts';
import { SCOPES, STOP_MODES } from '../../src/switch.ts';
import type { Scope, StopMode } from '../../src/switch.ts';
import { fleetSchema } from '../scenario/command-schema.ts';
import { dictionary, duration, exactly, list, map, oneOf, text } from '../scenario/leaf.ts';
import { LIMITS } from '../scenario/limits.ts';
import { TAKEN_PATHS } from '../scenario/taken-path.ts';
import type { TakenPath } from '../scenario/taken-path.ts';
import { readYamlFile } from '../scenario/yaml-file.ts';
import { REGRESSION_NAME } from './regression-file.ts';

export const GATE_FILE = 'gate.yaml';

/** One kind of stop that somebody wants to see proven. */
export interface Cell {
  readonly scope: Scope;
  readonly mode: StopMode;
  readonly path: TakenPath;
}

/** `gate.yaml`, beside kept regressions: against whom they are held, and what of them has to be there. */
export interface GateFile {
  /** The fleet's command; null for that of each scenario. */
  readonly fleet: readonly string[] | null;
  /** Each cell once. */
  readonly coverage: readonly Cell[];
  /** By name, in the order of the file. */
  readonly profiles: ReadonlyMap<string, GateProfile>;
}

/** A part of the kept runs for an occasion, such as every pull request. */
export interface GateProfile {
  /** What the gate may take, milliseconds; null for as long as it takes. */
  readonly withinMs: number | null;
  /** Names of kept runs, each once; null for all. */
  readonly runs: readonly string[] | null;
  /** What is demanded instead of the file's coverage; null for just that. */
  readonly coverage: readonly Cell[] | null;
}

export const NO_GATE_FILE: GateFile = { fleet: null, coverage: [], profiles: new Map() };

const MOST_DEMANDS = 100;
const MOST_PROFILES = 20;
const MOST_RUNS = 1_000;
/** From what one drill takes at least to a day. */
const WITHIN_MS = { min: 1_000, max: 86_400_000 } as const;
const several = (words: readonly string[]) => ({ min: 1, max: words.length });

const demand = map(
  {
    scopes: list(oneOf(SCOPES), several(SCOPES), 'scopes', '[tenant]'),
    modes: list(oneOf(STOP_MODES), several(STOP_MODES), 'modes', '[halt_all]'),
    paths: list(oneOf(TAKEN_PATHS), several(TAKEN_PATHS), 'paths', '[postgres]'),
  },
  '{ scopes: [tenant], modes: [halt_all], paths: [postgres] }',
);

const coverage = list(
  demand,
  { min: 1, max: MOST_DEMANDS },
  'demands',
  '[{ scopes: [tenant], modes: [halt_all], paths: [postgres] }]',
);

const runName = text(
  REGRESSION_NAME,
  { min: 1, max: LIMITS.nameLength },
  'the name of a kept run: lower-case words with hyphens',
  'tenant-halt',
);

const profile = map(
  {
    within: duration(WITHIN_MS, '90s').optional(),
    runs: list(runName, { min: 1, max: MOST_RUNS }, 'names of kept runs', '[tenant-halt]').optional(),
    coverage: coverage.optional(),
  },
  '{ within: 90s, runs: [tenant-halt] }',
);

const gateSchema = map(
  {
    version: exactly(1, '1'),
    fleet: fleetSchema.optional(),
    coverage: coverage.optional(),
    profiles: dictionary(
      profile,
      {
        pattern: REGRESSION_NAME,
        range: { min: 1, max: MOST_PROFILES },
        one: 'the name of a profile: lower-case words with hyphens, such as pr',
        many: 'profiles',
      },
      '{ pr: { within: 90s } }',
    ).optional(),
  },
  'version, fleet, coverage and profiles',
);

/**
 * Reads a `gate.yaml`.
 *
 * @throws KilldrillError `GATE_FILE_INVALID` with a line for everything that is wrong
 */
export function readGateFile(path: string): GateFile {
  const read: z.output<typeof gateSchema> = readYamlFile(path, gateSchema, {
    is: 'what the gate demands',
    example: '{ version: 1, coverage: [{ scopes: [tenant], modes: [halt_all], paths: [postgres] }] }',
    invalid: (sentence, options) => new KilldrillError('GATE_FILE_INVALID', sentence, options),
  });
  const profiles = Object.entries(read.profiles ?? {}).map(([name, one]) => [name, profileOf(one)] as const);
  return {
    fleet: read.fleet?.command ?? null,
    coverage: demandedBy(read.coverage ?? []),
    profiles: new Map(profiles),
  };
}

function profileOf({ within, runs, coverage: demands }: z.output<typeof profile>): GateProfile {
  return {
    withinMs: within ?? null,
    runs: runs === undefined ? null : [...new Set(runs)],
    coverage: demands === undefined ? null : demandedBy(demands),
  };
}

/** Every combination, each once. */
function demandedBy(demands: readonly z.output<typeof demand>[]): readonly Cell[] {
  const cells = demands.flatMap(({ scopes, modes, paths }) =>
    scopes.flatMap((scope) => modes.flatMap((mode) => paths.map((path) => ({ scope, mode, path })))),
  );
  return [...new Map(cells.map((cell) => [nameOfCell(cell), cell])).values()];
}

/** How a sentence names a cell. */
export function nameOfCell({ scope, mode, path }: Cell): string {
  return `${scope} × ${mode} × ${path}`;
}
