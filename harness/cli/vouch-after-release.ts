import { vouchForHead } from '../../src/control/vouch-for-head.ts';
import type { VouchParts } from '../../src/control/vouch-for-head.ts';
import { messageOf } from '../../src/errors.ts';

/** Signs the head, and tells why it was not. The release is done whatever comes of it: an unsigned head only makes a cold start slower. */
export async function vouchAfterRelease(parts: VouchParts, tell: (sentence: string) => void): Promise<void> {
  try {
    const vouched = await vouchForHead(parts);
    if (vouched.kind !== 'disputed') return;
    tell(`the head was not signed: no proven release has closed ${vouched.engagements.join(', ')}`);
  } catch (error) {
    tell(`the head was not signed: ${messageOf(error)}`);
  }
}
