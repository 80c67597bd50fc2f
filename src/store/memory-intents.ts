import { KilldrillError } from '../errors.ts';
import { claimedTask } from './memory-queue.ts';
import { journalKey } from './memory-state.ts';
import type { MemoryState } from './memory-state.ts';
import type { Intent } from './store.ts';

/** Lets a batch in, or nothing of it; answers the numbers of those whose claim is no longer theirs. */
export function admitIntents(state: MemoryState, incarnation: string, intents: readonly Intent[]): readonly number[] {
  const owned = intents.filter(({ claim }) => claim === null || claimedTask(state, claim) !== null);
  const repeated = owned.find(({ seq }) => state.intents.has(journalKey(incarnation, seq)));
  if (repeated !== undefined) {
    throw new KilldrillError(
      'INTENT_REPEATED',
      `intent ${repeated.seq} of incarnation '${incarnation}' is there already; nothing was admitted`,
    );
  }
  const afterRevision = state.head.revision;
  for (const intent of owned) {
    state.intents.set(journalKey(incarnation, intent.seq), { incarnation, intent, afterRevision, atMs: state.nowMs });
  }
  return intents.filter((intent) => !owned.includes(intent)).map(({ seq }) => seq);
}
