import type { StopPath } from './scenario.ts';

/** Whether a stop is asked for by an alert, whoever raises it. */
export function isByAlert(via: StopPath): boolean {
  return via === 'alert' || via === 'detector';
}
