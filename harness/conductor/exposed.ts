import type { Trace } from '../traffic/trace.ts';
import { isHeld } from '../traffic/held.ts';
import type { InScope, WorkerExposure } from '../world/world.ts';

/** What has to be open in a stop's scope before it is taken. */
export interface WantedExposure {
  /** A held call counts when the world holds it for so long yet. */
  readonly neededMs: number;
  /** One run or agent can be at one worker only: a held call at any of them will do. */
  readonly atOne: boolean;
  /** Whether a child has to hold one of the calls. */
  readonly child: boolean;
}

/** Whether the trace has a child in scope that is there to hold a call. */
export function hasHeldChild({ runs }: Trace, inScope: InScope): boolean {
  return runs.some(
    (run) =>
      run.parent !== undefined &&
      run.plan.some(({ capability }, step) => isHeld(run, step) && inScope(run, capability)),
  );
}

/** What is still missing, in words; nothing when a stop would meet all of it. */
export function missingExposure(workers: readonly WorkerExposure[], wanted: WantedExposure): readonly string[] {
  const long = workers.map(({ worker, held }) => ({
    worker,
    calls: held.filter(({ remainingMs }) => remainingMs >= wanted.neededMs),
  }));
  const lacking = long.filter(({ calls }) => calls.length === 0).map(({ worker }) => worker);
  const enough = lacking.length === 0 || (wanted.atOne && lacking.length < long.length);
  const atWorkers = enough ? [] : [`a held call in scope at ${lacking.join(', ')}`];
  const hasChild = long.some(({ calls }) => calls.some(({ run }) => run.parent !== undefined));
  return wanted.child && !hasChild ? [...atWorkers, 'a child in scope that holds a call'] : atWorkers;
}
