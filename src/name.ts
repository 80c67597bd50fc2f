/** Longest name that travels to the store, characters. */
const MAX_NAME = 1_000;

/** What `isName` wants, for a sentence. */
export const NAME_RULE = `1 to ${MAX_NAME} characters, none of them NUL`;

/**
 * Whether the store can keep this as a name (of a run, an agent, an idempotency key). Checked where names come in, since
 * items travel in batches: PostgreSQL refuses a whole batch for one NUL in it, and then others pay for it.
 */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME && !value.includes('\0');
}

/** A value that was found where another was expected, short enough for a sentence. */
export function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 80) : `a ${typeof value}`;
}
