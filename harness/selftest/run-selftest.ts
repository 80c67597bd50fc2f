import type { DrillProgress } from '../drill/drill-input.ts';
import { withEnvironment } from '../drill/with-environment.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { drillSubject } from './drill-subject.ts';
import type { SubjectDrill } from './drill-subject.ts';
import type { SelftestRow } from './kill-matrix.ts';
import { Lane } from './lane.ts';
import type { Subject } from './subject.ts';

export interface SelftestInput {
  readonly subjects: readonly Subject[];
  readonly scenarioOf: (subject: Subject) => Scenario;
  readonly rounds: number;
  /** So many drills at once, each in a process and an environment of its own; 1 is in this process. */
  readonly parallel: number;
  readonly reportsFolder: string;
  /** Told of one drill at a time only. */
  readonly onProgress: (progress: DrillProgress) => void;
  readonly onRow: (row: SelftestRow) => void;
  readonly signal: AbortSignal;
}

/** Drills the harness: each subject `rounds` times. The rows are in the order of rounds and subjects, whoever ends first. */
export async function runSelftest(input: SelftestInput): Promise<readonly SelftestRow[]> {
  const { subjects, scenarioOf, rounds, reportsFolder } = input;
  const round = subjects.map((subject) => ({ subject, scenario: scenarioOf(subject), reportsFolder }));
  const drills = Array.from({ length: rounds }, () => round).flat();
  return input.parallel === 1 ? oneByOne(input, drills) : sideBySide(input, drills);
}

/** One environment for all. */
function oneByOne(input: SelftestInput, drills: readonly SubjectDrill[]): Promise<readonly SelftestRow[]> {
  return withEnvironment('embedded', input.signal, async (ground) => {
    const rows: SelftestRow[] = [];
    for (const drill of drills) {
      const row = await drillSubject(ground, drill, input);
      rows.push(row);
      input.onRow(row);
    }
    return rows;
  });
}

/**
 * An environment a lane, so that a store killed in one drill is not another's, and a process a lane: judging blocks the
 * loop, and would widen the arrivals that the other's witness sees.
 */
async function sideBySide(input: SelftestInput, drills: readonly SubjectDrill[]): Promise<readonly SelftestRow[]> {
  const rows = new Map<number, SelftestRow>();
  const over = new AbortController();
  const signal = AbortSignal.any([input.signal, over.signal]);
  let next = 0;
  const work = async (): Promise<void> => {
    const lane = new Lane(signal);
    try {
      for (let at = next++; at < drills.length; at = next++) {
        const drill = drills[at];
        if (drill === undefined) return;
        const row = await lane.drill(drill);
        rows.set(at, row);
        input.onRow(row);
      }
    } catch (error) {
      over.abort(error); // the others end their fleets at once
      throw error;
    } finally {
      await lane.close();
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(input.parallel, drills.length) }, work));
  input.signal.throwIfAborted();
  if (over.signal.aborted) throw over.signal.reason;
  const failed = lanes.find((lane) => lane.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return [...rows].toSorted(([one], [other]) => one - other).map(([, row]) => row);
}
