/**
 * The one error family of killdrill.
 *
 * `code` is stable and meant for programs; the message is one sentence that names the thing, the rule and the value,
 * and, where it is known, how to mend it.
 */
export class KilldrillError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'KilldrillError';
    this.code = code;
  }
}

/** The message of anything that was thrown, for a sentence of our own. Never throws: it is asked where nobody would catch it. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'something was thrown that cannot be put into words';
  }
}
