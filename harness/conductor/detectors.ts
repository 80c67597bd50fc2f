import type { AlertsEntry, FlipEntry } from '../scenario/scenario.ts';

/** What puts alerts on the bus in the place of detectors. */
export interface Detectors {
  /** Asks for a stop; resolves with the id that it has in the store, once the bus has it. */
  ask(entry: FlipEntry, target: string, flip: number, signal: AbortSignal): Promise<string>;
  publish(entry: AlertsEntry, signal: AbortSignal): Promise<void>;
}
