/** Longest name that travels to the store, bytes of UTF-8: PostgreSQL's indexes hold no row beyond 2,704. */
const MAX_NAME = 1_000;

/** What `isName` wants, for a sentence. */
export const NAME_RULE = `1 to ${MAX_NAME} bytes of UTF-8, none of them NUL`;

/**
 * Whether the store can keep this as a name (of a run, an agent, an idempotency key). Checked where names come in, since
 * items travel in batches: PostgreSQL refuses a whole batch for one NUL in it, and then others pay for it.
 */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && isShort(value) && !value.includes('\0');
}

/** A character of UTF-16 takes at most three bytes, so that most names need no counting. */
function isShort(name: string): boolean {
  return name.length * 3 <= MAX_NAME || (name.length <= MAX_NAME && Buffer.byteLength(name) <= MAX_NAME);
}

/** Whether this is a capability: a path such as `write/mail`. */
export function isCapability(value: unknown): value is string {
  return isName(value) && /^[^\s/*]+(\/[^\s/*]+)*$/.test(value);
}

/** A value that was found where another was expected, short enough for a sentence. */
export function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 80) : `a ${typeof value}`;
}
