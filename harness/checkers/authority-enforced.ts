import { parseFlip } from '../../src/flip-text.ts';
import type { Flip } from '../../src/switch.ts';
import type { Checker, Finding } from './checker.ts';
import { fail, inconclusive, notApplicable, pass } from './finding.ts';
import { forgeriesOf } from './forgeries-of.ts';
import type { TriedForgery } from './forgeries-of.ts';
import { nameOf } from './flips-of.ts';
import { indexOf, sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { journalWasRead } from './witness-of.ts';

/** What the store says to a login that has no right to do what it asks. */
const FORBIDDEN = 'STORE_FORBIDDEN';

/** To stop and to release are rights, and the governed have neither. */
export const authorityEnforced: Checker = {
  name: 'authority_enforced',
  claim:
    "The store lets nobody release with the fleet's own login, and every release on record was asked for by the operator.",
  needs: 'record',
  check(record) {
    const index = indexOf(record);
    const asked = forgeriesOf(index).filter(({ path }) => path === 'flip');
    if (!journalWasRead(index)) return inconclusive('the store read at the end', "the record has no store's head");
    return foreignRelease(index) ?? permitted(index, asked) ?? shown(asked);
  },
};

function foreignRelease(index: DrillIndex): Finding | null {
  const requested = new Set(index.flips.map(({ id }) => id));
  for (const { revision, text } of index.storeFlips) {
    const flip = readFlip(text);
    if (flip?.kind !== 'release' || requested.has(flip.id)) continue;
    const evidence = { revision, id: flip.id, scope: nameOf(flip), triggeredBy: flip.triggeredBy };
    const who = `'${flip.triggeredBy}'`;
    return fail(
      `revision ${revision} is a release of ${nameOf(flip)} by ${who}, which the operator did not ask for`,
      evidence,
    );
  }
  return null;
}

/** What cannot be read is another property's. */
function readFlip(text: string): Flip | null {
  try {
    return parseFlip(text);
  } catch {
    return null;
  }
}

function permitted(index: DrillIndex, asked: readonly TriedForgery[]): Finding | null {
  const found = asked.find(({ answer }) => answer?.ok === true);
  if (found === undefined) return null;
  const { forgery, manner, id, sentNs } = found;
  const evidence = { forgery, manner, id, atMs: sinceT0(index, sentNs) };
  return fail("the store took a release that was asked for with the fleet's own login", evidence);
}

function shown(asked: readonly TriedForgery[]): Finding {
  if (asked.length === 0) return notApplicable("nobody asks for a release with the fleet's own login");
  const other = asked.find(({ answer }) => answer?.code !== FORBIDDEN);
  if (other !== undefined) {
    const found = other.answer?.code ?? 'nothing';
    const reason = `forgery ${other.forgery} was answered with ${found}`;
    return inconclusive(`${asked.length} requests refused for want of a right`, reason, { forgery: other.forgery });
  }
  return pass(`${asked.length} releases asked for with the fleet's own login were refused for want of a right`, {
    refused: asked.length,
  });
}
