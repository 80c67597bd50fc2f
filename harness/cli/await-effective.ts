import { systemClock } from '../../src/clock.ts';
import { EffectivenessWatch } from '../../src/control/effectiveness-watch.ts';
import type { StopState } from '../../src/control/effectiveness.ts';
import { printable, wrap } from '../report/wrap.ts';
import { withOperator } from './operator-connection.ts';
import type { StoreFlags } from './operator-connection.ts';
import { note } from './output.ts';
import { unaccountedSentences } from './unaccounted.ts';

const WIDTH = 80;

export interface AwaitFlags extends StoreFlags {
  readonly quiet?: boolean;
}

/**
 * Watches a stop that has just become durable until it is effective, or `withinMs` are over; tells on stderr of each worker
 * whose state has changed. @throws as the store does, when it cannot be asked at all
 */
export async function awaitEffective(
  id: string,
  flags: AwaitFlags,
  withinMs: number,
  signal: AbortSignal,
): Promise<StopState> {
  return withOperator(flags, async ({ effectiveness }) => {
    const watch = new EffectivenessWatch({ store: effectiveness, clock: systemClock });
    const told = new Map<string, string>();
    let last: StopState | null = null;
    for await (const state of watch.watch(id, { withinMs, signal })) {
      last = state;
      if (flags.quiet !== true) tell(state, told);
    }
    if (last === null) throw new TypeError('a watch ends with a state, or throws');
    return last;
  });
}

function tell({ workers }: StopState, told: Map<string, string>): void {
  for (const { worker, incarnation, state, why } of workers) {
    if (told.get(incarnation) === state) continue;
    told.set(incarnation, state);
    note(wrap(printable(`${worker}: ${state}, ${why}`), WIDTH).join('\n'));
  }
}

/** What an operator is told in the end. */
export function effectiveSentences(
  { state, missing, workers, unaccounted, excepted }: StopState,
  within: string,
): readonly string[] {
  const of = (wanted: string): number => workers.filter((one) => one.state === wanted).length;
  const counts = `${of('confirmed')} confirmed, ${of('fenced')} fenced, ${of('unconfirmed')} unconfirmed`;
  switch (state) {
    case 'effective':
      return [`effective: ${counts}; ${excepted}`];
    case 'closed':
      return ['somebody has released it meanwhile'];
    case 'pending':
      return [
        `NOT EFFECTIVE within ${within}: ${counts}`,
        ...missing.map((one) => `waits: ${one}`),
        ...unaccountedSentences(unaccounted),
      ];
  }
}
