import type { z } from 'zod';
import { KilldrillError } from '../../src/errors.ts';
import { SCOPES, STOP_MODES } from '../../src/switch.ts';
import type { Scope, StopMode } from '../../src/switch.ts';
import { exactly, list, map, oneOf, text } from '../scenario/leaf.ts';
import { LIMITS } from '../scenario/limits.ts';
import { LINE } from '../scenario/line.ts';
import { STOP_PATHS } from '../scenario/timeline-schema.ts';
import { readYamlFile } from '../scenario/yaml-file.ts';

export const GATE_FILE = 'gate.yaml';

/** The paths of a stop, and the switch of its own that a fleet brings. */
const CELL_PATHS = [...STOP_PATHS, 'levers'] as const;
export type CellPath = (typeof CELL_PATHS)[number];

/** One kind of stop that somebody wants to see proven. */
export interface Cell {
  readonly scope: Scope;
  readonly mode: StopMode;
  readonly path: CellPath;
}

/** `gate.yaml`, beside kept regressions: against whom they are held, and what of them has to be there. */
export interface GateFile {
  /** The fleet's command; null for that of each scenario. */
  readonly fleet: readonly string[] | null;
  /** Each cell once. */
  readonly coverage: readonly Cell[];
}

export const NO_GATE_FILE: GateFile = { fleet: null, coverage: [] };

const MOST_DEMANDS = 100;
const word = text(LINE, { min: 1, max: LIMITS.textLength }, 'one word of a command', 'node');
const several = (words: readonly string[]) => ({ min: 1, max: words.length });

const demand = map(
  {
    scopes: list(oneOf(SCOPES), several(SCOPES), 'scopes', '[tenant]'),
    modes: list(oneOf(STOP_MODES), several(STOP_MODES), 'modes', '[halt_all]'),
    paths: list(oneOf(CELL_PATHS), several(CELL_PATHS), 'paths', '[postgres]'),
  },
  '{ scopes: [tenant], modes: [halt_all], paths: [postgres] }',
);

const gateSchema = map(
  {
    version: exactly(1, '1'),
    fleet: map(
      { command: list(word, { min: 1, max: LIMITS.commandWords }, 'words', '[node, worker.js]') },
      '{ command: [node, worker.js] }',
    ).optional(),
    coverage: list(
      demand,
      { min: 1, max: MOST_DEMANDS },
      'demands',
      '[{ scopes: [tenant], modes: [halt_all], paths: [postgres] }]',
    ).optional(),
  },
  'version, fleet and coverage',
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
  const cells = (read.coverage ?? []).flatMap(cellsOf);
  const coverage = [...new Map(cells.map((cell) => [nameOfCell(cell), cell])).values()];
  return { fleet: read.fleet?.command ?? null, coverage };
}

/** Every combination. */
function cellsOf({ scopes, modes, paths }: z.output<typeof demand>): readonly Cell[] {
  return scopes.flatMap((scope) => modes.flatMap((mode) => paths.map((path) => ({ scope, mode, path }))));
}

/** How a sentence names a cell. */
export function nameOfCell({ scope, mode, path }: Cell): string {
  return `${scope} × ${mode} × ${path}`;
}
