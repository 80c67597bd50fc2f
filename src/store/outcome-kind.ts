export const OUTCOMES = ['landed', 'failed', 'unknown', 'blocked'] as const;
/**
 * What became of an intent: `landed` and `failed` by the downstream's own word, `unknown` when bytes may have left and
 * nobody answered, `blocked` when the call was never dispatched.
 */
export type OutcomeKind = (typeof OUTCOMES)[number];
