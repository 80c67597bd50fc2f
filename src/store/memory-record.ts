import { KilldrillError, messageOf } from '../errors.ts';
import type { MemoryState, OperatorAction } from './memory-state.ts';
import type { Asker } from './store.ts';

/** Does what an operator asked for and keeps it on record, also when it is refused. */
export function onRecord<T>(
  state: MemoryState,
  kind: OperatorAction['kind'],
  asker: Asker,
  request: unknown,
  work: () => T,
): T {
  const keep = (refusal: string | null): void => {
    state.actions.push({ kind, asker, request, refusal, atMs: state.nowMs });
  };
  try {
    refuseNobody(asker);
    const answer = work();
    keep(null);
    return answer;
  } catch (thrown) {
    keep(messageOf(thrown));
    throw thrown;
  }
}

function refuseNobody({ by }: Asker): void {
  if (by.length > 0 && by.length <= 300) return;
  throw new KilldrillError('ASKER_INVALID', `who asks is named in ${by.length} characters; expected 1 to 300`);
}
