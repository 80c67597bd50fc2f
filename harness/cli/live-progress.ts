import type { DrillProgress } from '../drill/drill-input.ts';
import { progressLine } from '../report/progress.ts';

export interface LiveProgress {
  readonly show: (progress: DrillProgress) => void;
  /** Takes the line away, before anything else is printed. */
  readonly clear: () => void;
}

/** How far back the shown rate looks. */
const WINDOW_MS = 1_500;

/** A progress line on a terminal's stderr; nothing elsewhere, and nothing when quiet. */
export function liveProgress(quiet: boolean): LiveProgress {
  const line = progressLine(quiet ? { isTTY: false, write: () => undefined } : process.stderr);
  let window: readonly DrillProgress[] = [];
  return {
    show: (now) => {
      window = [
        ...window.filter(({ elapsedMs }) => elapsedMs >= now.elapsedMs - WINDOW_MS && elapsedMs <= now.elapsedMs),
        now,
      ];
      const [first = now] = window;
      const seconds = (now.elapsedMs - first.elapsedMs) / 1_000;
      const effectsPerSecond = seconds > 0 ? (now.effects - first.effects) / seconds : 0;
      const { phase, elapsedMs, inFlight, halted } = now;
      line.show({ phase, elapsedMs, effectsPerSecond, inFlight, halted });
    },
    clear: () => line.clear(),
  };
}
