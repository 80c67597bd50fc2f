import type { Judgement } from '../checkers/verdict-file.ts';
import type { Environment } from '../environment/environment.ts';
import type { Told } from '../evidence/evidence-of.ts';
import type { Phase } from '../history/event.ts';
import type { DrillPlan } from '../traffic/plan-drill.ts';
import type { DrillRecord } from './drill.ts';
import type { Planted } from './prepare-store.ts';
import type { FleetParts } from './start-fleet.ts';

export interface DrillInput {
  readonly plan: DrillPlan;
  readonly environment: Environment;
  /** The drill's temporary folder, watched by the guardian. */
  readonly folder: string;
  readonly reportsFolder: string;
  /** The fleet's command; that of the scenario, or the simulated fleet, when null. */
  readonly command: readonly string[] | null;
  /** The executors' command; the simulated one when absent. */
  readonly executorCommand?: readonly string[];
  /** What a mutant needs of the store; `NOTHING_PLANTED` for everybody else. */
  readonly planted: Planted;
  readonly onSpawned: (pid: number) => void;
  /** Makes the proxies of the planes; the real one by default. */
  readonly startProxy?: FleetParts['startProxy'];
  readonly onProgress: (progress: DrillProgress) => void;
  /** For the evidence that goes into the bundle; without it none is written. */
  readonly told?: Told;
  readonly signal: AbortSignal;
}

export interface DrillProgress {
  readonly phase: Phase;
  /** Milliseconds since T0; 0 before. */
  readonly elapsedMs: number;
  readonly effects: number;
  readonly inFlight: number;
  /** Switches that are engaged now, as `scope:target`. */
  readonly halted: readonly string[];
}

export interface DrillOutcome {
  readonly record: DrillRecord;
  readonly judgement: Judgement;
  readonly bundleFolder: string;
  /** Why no evidence was written, of a drill that was to have some; the verdict stands all the same. */
  readonly noEvidence: string | null;
}
