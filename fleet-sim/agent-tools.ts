import type { Clock, Gate, Runtime } from '../src/index.ts';
import type { WorldClient } from './world-client.ts';

/** What an agent needs from its worker. */
export interface AgentTools {
  readonly gate: Pick<Gate, 'run' | 'enter' | 'enterTask' | 'bind'>;
  readonly intake: Pick<Runtime['intake'], 'enqueue'>;
  readonly world: Pick<WorldClient, 'sendEffect' | 'spawn'>;
  readonly clock: Clock;
  /** What an effect carries; the world does not look into it. */
  readonly payload: (run: string, step: number) => string;
  /** Whether calls obey their signal; a mutant's do not, and a deaf tool's. */
  readonly signalOf: (signal: AbortSignal, capability: string) => AbortSignal | undefined;
  /** Fires when the worker is to end: no step begins any more. */
  readonly stopping: AbortSignal;
}
