import type { StopState } from '../../src/control/effectiveness.ts';

/** Named one by one; of more there is a number, since the way to answer for them is the same. */
const NAMED = 10;

/**
 * The effects that keep a stop from ever being effective by itself, and the command that answers for them: intents past
 * their deadlines without an outcome, those of before migration 0011 among them.
 */
export function unaccountedSentences(unaccounted: StopState['unaccounted']): readonly string[] {
  if (unaccounted.length === 0) return [];
  const named = unaccounted
    .slice(0, NAMED)
    .map(({ incarnation, seq, run, capability }) => `unaccounted: ${capability} of run ${run} (${incarnation}/${seq})`);
  const more = unaccounted.length - named.length;
  return [
    ...named,
    ...(more === 0 ? [] : [`unaccounted: ${more} more`]),
    '(killdrill ledger --close INCARNATION/SEQ --reason TEXT answers for one)',
  ];
}
