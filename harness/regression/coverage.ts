import { indexOf } from '../checkers/index-of.ts';
import { plannedFlip } from '../checkers/stop-paths.ts';
import type { DrillRecord } from '../drill/drill.ts';
import type { Scenario, TimelineEntry } from '../scenario/scenario.ts';
import { takenPath } from '../scenario/taken-path.ts';
import { nameOfCell } from './gate-file.ts';
import type { Cell } from './gate-file.ts';
import type { GateAnswer } from './compare.ts';

type PlannedStop = Pick<Extract<TimelineEntry, { readonly kind: 'flip' }>, 'scope' | 'mode' | 'via'>;

/** What a gate demands, and which kept runs proved it. */
export interface CoveredCell {
  readonly cell: Cell;
  /** Names of the kept runs that were drilled and judged; empty for a cell that nobody covers. */
  readonly by: readonly string[];
  /** Names of kept runs that have such a stop, and that showed nothing now. */
  readonly notShownBy: readonly string[];
}

/** A kept run with the stops that it has. */
export interface Covering {
  readonly name: string;
  readonly answer: GateAnswer;
  readonly cells: readonly Cell[];
}

/** The kinds of stops that came to be in a drill: those that were acknowledged, by the path that the timeline names. */
export function cellsOf(record: DrillRecord): readonly Cell[] {
  const index = indexOf(record);
  const cells = index.stops.flatMap(({ flip }) => {
    const planned = plannedFlip(index, flip);
    return planned?.kind === 'flip' ? [cellOf(record.scenario, planned)] : [];
  });
  return [...new Map(cells.map((cell) => [nameOfCell(cell), cell])).values()];
}

/** The kinds of stops that a timeline asks for. */
export function plannedCells(scenario: Pick<Scenario, 'fleet' | 'timeline'>): readonly Cell[] {
  return scenario.timeline.flatMap((entry) => (entry.kind === 'flip' ? [cellOf(scenario, entry)] : []));
}

function cellOf(scenario: Pick<Scenario, 'fleet'>, stop: PlannedStop): Cell {
  return { scope: stop.scope, mode: stop.mode, path: takenPath(scenario, stop) };
}

/** Holds what is demanded against what was drilled. A drill that showed nothing covers nothing. */
export function coverageOf(demanded: readonly Cell[], kept: readonly Covering[]): readonly CoveredCell[] {
  return demanded.map((cell) => {
    const name = nameOfCell(cell);
    const having = kept.filter(({ cells }) => cells.some((one) => nameOfCell(one) === name));
    const [by, notShownBy] = [false, true].map((isLost) =>
      having.filter(({ answer }) => (answer === 'not_comparable') === isLost).map((one) => one.name),
    );
    return { cell, by: by ?? [], notShownBy: notShownBy ?? [] };
  });
}

/** Why a cell is empty, a sentence; null for one that is covered. */
export function emptyBecause({ cell, by, notShownBy }: CoveredCell): string | null {
  if (by.length > 0) return null;
  const name = nameOfCell(cell);
  if (notShownBy.length === 0) return `${name}: no kept run has such a stop; promote one that has`;
  return `${name}: only ${notShownBy.join(', ')} has such a stop, and showed nothing this time`;
}
