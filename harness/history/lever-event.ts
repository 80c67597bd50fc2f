/** What the fleet's own switch said of itself when it was asked. */
export interface LeverStatusBody {
  readonly type: 'lever.status';
  /** The flip of the timeline that it was asked for. */
  readonly flip: number;
  /** Right after that flip was acknowledged, or (of a stop) right before its release. */
  readonly moment: 'after' | 'before-release';
  readonly scope: string;
  readonly target: string;
  /** The mode that the drill has it in. */
  readonly expected: string;
  /** The mode that it named; null when it named none, and then `error` says why. */
  readonly said: string | null;
  readonly error: string | null;
}

/** What a fleet did that it should not have, as the harness saw it. */
export type FleetLifeBody =
  /** The last lines of a process that ended without being asked to. */
  | { readonly type: 'worker.lastWords'; readonly worker: string; readonly channel: number; readonly text: string }
  /** It did not end by itself within so long of SIGTERM, and was killed. */
  | { readonly type: 'worker.forced'; readonly worker: string; readonly afterMs: number }
  /** A process that outlived the worker that had started it, and was killed. */
  | { readonly type: 'worker.leftBehind'; readonly worker: string; readonly pid: number; readonly command: string };
