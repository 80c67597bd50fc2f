/** One effect: a call that leaves the process. */
export interface Effect {
  /** A path such as `write/mail`. */
  readonly capability: string;
  readonly access: 'read' | 'write';
  /** The same for every attempt at the same effect, so that the downstream can tell a retry from a new wish. */
  readonly idempotencyKey: string;
  /** How long the call may take, milliseconds; there is no default, since a call without an end cannot be accounted for. */
  readonly deadlineMs: number;
  /** False declares a read that needs no intent; it is then held by registry and lease alone. Default true. */
  readonly journal?: boolean;
  /** The same text for the same arguments (`fingerprint`), which loops are found by; null, the default, if they cannot be compared. */
  readonly fingerprint?: string | null;
}
