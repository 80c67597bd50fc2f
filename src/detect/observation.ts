import type { Actor } from '../actor.ts';

/**
 * What detectors look at. Give them what was let through, not what the gate refused: refused calls harm nobody, and a
 * stopped agent that keeps asking would never look green again.
 */
export type Observation =
  /** One call that leaves the process, as it is sent. */
  | (Actor & {
      readonly kind: 'effect';
      readonly capability: string;
      readonly access: 'read' | 'write';
      /** The same text for the same arguments (`fingerprint`); null when they cannot be compared. */
      readonly fingerprint: string | null;
    })
  /** Money, tokens or whatever the thresholds are in, as it is spent. */
  | (Actor & { readonly kind: 'cost'; readonly amount: number })
  /** One reading of a guardrail: a toxicity score, a refusal (0 or 1), an evaluation's mark. */
  | (Actor & { readonly kind: 'metric'; readonly name: string; readonly value: number });
