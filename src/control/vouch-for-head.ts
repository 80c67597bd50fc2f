import { KilldrillError } from '../errors.ts';
import { FlipProof } from '../flip-proof.ts';
import type { FlipKeys } from '../flip-signature.ts';
import { parseFlip } from '../flip-text.ts';
import { signHead } from '../head-signature.ts';
import type { AuditStore } from '../store/audit-port.ts';
import type { Head } from '../store/store.ts';

export interface VouchParts {
  readonly store: AuditStore;
  readonly namespace: string;
  readonly keys: FlipKeys;
  readonly sign: (text: string) => string;
}

/** What became of it. `disputed`: these engagements were closed by releases that nobody has signed, so nothing was signed. */
export type Vouched =
  | { readonly kind: 'signed'; readonly head: Head }
  | { readonly kind: 'disputed'; readonly engagements: readonly string[] }
  | { readonly kind: 'empty' };

/**
 * Signs the store's head, once every release since the newest signed head is proven: agents that start cold look at releases
 * after it only. What an unsigned release has closed is never vouched for by the way.
 */
export async function vouchForHead({ store, namespace, keys, sign }: VouchParts): Promise<Vouched> {
  const proof = new FlipProof(namespace, { keys });
  for (const wanted of ['signed', 'all'] as const) {
    const answer = await store.proof(wanted);
    const disputed = proof.disputed(answer);
    if (disputed === null) continue;
    if (disputed.length > 0) {
      return { kind: 'disputed', engagements: disputed.map(({ text }) => parseFlip(text).id) };
    }
    const { head } = answer;
    if (head.revision === 0) return { kind: 'empty' };
    await store.signHead(signHead(namespace, head, sign));
    return { kind: 'signed', head };
  }
  throw new KilldrillError(
    'LOAD_UNPROVEN',
    "the store's answer does not say by what its closed stops were released; expected a store of this version",
  );
}
