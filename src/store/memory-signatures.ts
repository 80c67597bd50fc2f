import { KilldrillError } from '../errors.ts';
import type { MemoryState, StoredFlip } from './memory-state.ts';

/** Of a relay's signatures beside a flip's own. */
const MORE_SIGNATURES = 4;
const MAX_SIGNATURE_LENGTH = 300;

/** @throws KilldrillError `SIGNATURE_UNREADABLE` */
export function checkSignature(signature: string | null): void {
  const length = Buffer.byteLength(signature ?? '');
  if (length <= MAX_SIGNATURE_LENGTH) return;
  throw new KilldrillError(
    'SIGNATURE_UNREADABLE',
    `a signature of ${length} bytes was given; expected Ed25519 in base64, which has 88`,
  );
}

/** A relay's signature beside the flip's own. */
export function keepSignature(state: MemoryState, { record }: StoredFlip, signature: string | null): void {
  const more = state.moreSignatures.get(record.revision) ?? [];
  if (signature === null || more.length >= MORE_SIGNATURES || more.includes(signature)) return;
  state.moreSignatures.set(record.revision, [...more, signature]);
}

/** A stop-taker's signature takes the place of one that a relay brought; what was there is kept. */
export function takeSignature(state: MemoryState, stored: StoredFlip, signature: string | null): StoredFlip {
  const { record } = stored;
  if (!state.relayed.has(record.revision) || signature === null || signature === record.signature) return stored;
  keepSignature(state, stored, record.signature);
  const signed = { ...stored, record: { ...record, signature } };
  state.relayed.delete(record.revision);
  state.flips[record.revision - 1] = signed;
  state.flipsById.set(stored.id, signed);
  return signed;
}
